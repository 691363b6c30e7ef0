// What plan/cost_model.h says that ranks send in a step, against what the kernel counts on their connections.
#include <ATen/core/grad_mode.h>

#include "support/ranks.h"
#include "support/tiny_run.h"
#include "uir/train/trainer.h"
//
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <filesystem>
#include <string>

#include "support/catch.h"
#include "uir/plan/cost_model.h"

using namespace uir;

namespace {

// Bytes that all connections of this process have sent so far; ranks are its threads.
double bytes_sent_by_process() {
  double bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    tcp_info info{};
    socklen_t size = sizeof(info);
    const int fd = std::stoi(entry.path().filename().string());
    if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0)
      bytes +=
          static_cast<double>(info.tcpi_bytes_sent - info.tcpi_bytes_retrans);  // acknowledged or not yet
  }
  return bytes;
}

struct Case {
  int64_t ranks;
  int64_t accumulation = 1;
  bool synchronized_norms = false, bf16_gradients = false;
};

Experiment experiment_of(const Case& c, int64_t steps) {
  Experiment experiment;
  experiment.model.backbone = MobileFaceNetConfig{.width = 0.125, .embedding_size = 64};
  experiment.train.device = "cpu";
  experiment.train.epochs = steps;  // a step each
  experiment.train.batch = {24, 24, c.accumulation};
  experiment.train.checkpoint.every_steps = 1000;
  if (c.synchronized_norms) experiment.train.ranks.batch_norm = BatchNormStatistics::kSynchronized;
  if (c.bf16_gradients) experiment.train.ranks.compression = GradientCompression::kBFloat16;
  return experiment;
}

// Bytes that all ranks together have sent when the run ends.
double bytes_of_run(const Case& c, const Index& index, int64_t steps) {
  const Experiment experiment = experiment_of(c, steps);
  const TempFolder folder;
  create_folders(folder / "run");
  double bytes = 0;
  run_ranks(c.ranks, [&](std::shared_ptr<const Communicator> ranks) {
    const auto backbone = make_backbone(experiment.model, 1);
    const auto head = std::make_shared<Head>(experiment.head, experiment.uir.reduction, index.num_classes(),
                                             64, 1, ranks, at::kCPU);
    Trainer trainer({.config = experiment.train,
                     .data = tiny_data(),
                     .uir = experiment.uir,
                     .index = index,
                     .backbone = backbone,
                     .head = head,
                     .communicator = ranks,
                     .run_folder = folder / "run",
                     .checkpoints_folder = folder / "run/checkpoints",
                     .resolved_config = {},
                     .model_config = {},
                     .verify = {},
                     .best_by = {},
                     .selection_warning = {},
                     .stop_requested = {}});
    trainer.run();
    ranks->barrier();
    if (ranks->rank() == 0) bytes = bytes_sent_by_process();
    ranks->barrier();
  });
  return bytes;
}

}  // namespace

TEST_CASE("ranks send the bytes that the cost model says") {
  const TempFolder folder;
  build_index(tiny_data(), folder / "index", 2);
  const Index index = Index::open(folder / "index");
  const Case cases[] = {
      {2}, {3}, {4, 2}, {2, 1, true}, {3, 2, true}, {2, 1, false, true}, {4, 1, false, true}};
  for (const Case& c : cases) {
    INFO(c.ranks << " ranks, " << c.accumulation << " passes, synchronized " << c.synchronized_norms
                 << ", bf16 " << c.bf16_gradients);
    const double measured =
        (bytes_of_run(c, index, 3) - bytes_of_run(c, index, 1)) / 2 / static_cast<double>(c.ranks);
    const TrainingPlan plan = training_plan(experiment_of(c, 1), {6, 30, 12}, c.ranks);
    const double model = total(bytes_sent_by_rank(plan));
    // Gloo's headers, up to 400 bytes for each of a collective's k − 1 rounds, are not in the model.
    double collectives = 5 + 1 + 3 + 1;  // the last: gradient norms, here in every step
    for (const LayerFacts& layer : plan.network.layers) {
      if (c.synchronized_norms && layer.kind == OpKind::kBatchNorm) collectives += 2;
    }
    const double headers =
        400 * static_cast<double>(c.ranks - 1) * collectives * static_cast<double>(c.accumulation);
    CHECK(measured > 0.999 * model);
    CHECK(measured < 1.001 * model + headers);
  }
}
