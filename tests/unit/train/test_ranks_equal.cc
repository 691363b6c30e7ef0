// "2 ranks x batch b" trains as "1 rank x batch 2b" does, with synchronised batch norms: whole networks in
// float64, where only an error, not rounding, can show.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>

#include "support/ranks.h"
#include "support/tiny_run.h"
#include "uir/model/state_dict.h"
#include "uir/train/trainer.h"
//
#include <cmath>
#include <fstream>
#include <mutex>
#include <vector>

#include "support/catch.h"

using namespace uir;

namespace {

constexpr size_t kSteps = 5;

struct Trained {
  std::vector<Json> log;
  NamedTensors network;  // of rank 0
  at::Tensor centers;    // all classes
};

ModelConfig network_of(bool mobile) {
  ModelConfig config;
  if (mobile) {
    config.backbone = MobileFaceNetConfig{.width = 0.0625, .embedding_size = 16};
  } else {
    config.backbone = IResNetConfig{.depth = 18, .width = 0.0625, .embedding_size = 16, .dropout = 0.3};
  }
  return config;
}

TrainConfig train_config(BatchNormStatistics statistics) {
  TrainConfig config;
  config.batch = {6, 6, 1};
  config.epochs = 1;
  // Small: these networks are chaotic at first, every step multiplies the rounding of the sums.
  config.schedule.base_lr = 0.001;
  config.optimizer.weight_decay = 5e-4;
  config.log_every = 1000;
  config.ranks.batch_norm = statistics;
  return config;
}

Trained train(int64_t ranks, bool mobile,
              BatchNormStatistics statistics = BatchNormStatistics::kSynchronized) {
  const TempFolder folder;
  build_index(tiny_data(), folder / "index", 2);
  const Index index = Index::open(folder / "index");
  Trained trained;
  std::vector<at::Tensor> shards(static_cast<size_t>(ranks));
  run_ranks(
      ranks,
      [&](std::shared_ptr<const Communicator> communicator) {
        const auto backbone = make_backbone(network_of(mobile), 1);
        backbone->to(at::kDouble);
        HeadConfig head_config;
        head_config.scale = 16;
        const auto head = std::make_shared<Head>(head_config, UirReduction::kReleased, index.num_classes(),
                                                 16, 1, communicator, at::kCPU);
        head->centers() = head->centers().detach().to(at::kDouble).set_requires_grad(true);
        TrainerParts parts;
        parts.config = train_config(statistics);
        parts.data = tiny_data();
        parts.data.augment.mirror = false;
        parts.uir.weight = 1;
        parts.index = index;
        parts.backbone = backbone;
        parts.head = head;
        parts.communicator = communicator;
        parts.pixel_type = at::kDouble;
        parts.run_folder = folder / "run";
        parts.checkpoints_folder = folder / "run/checkpoints";
        create_folders(parts.run_folder);
        communicator->barrier();
        Trainer(std::move(parts)).run();
        shards[static_cast<size_t>(communicator->rank())] = head->centers().detach();
        if (communicator->rank() == 0) trained.network = state_dict(*backbone);
      },
      std::chrono::seconds(120));
  trained.centers = at::cat(shards);
  std::ifstream in(folder / "run/log.jsonl");
  for (std::string line; std::getline(in, line);) trained.log.push_back(Json::parse(line));
  return trained;
}

double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

double largest_difference(const Trained& a, const Trained& b) {
  double difference = largest_difference(a.centers, b.centers);
  for (const auto& [name, tensor] : a.network)
    difference = std::max(difference, largest_difference(tensor, b.network.at(name)));
  for (size_t i = 0; i < a.log.size(); ++i) {
    for (const char* number : {"labeled", "uir", "total", "gradient_norm"}) {
      const auto x = a.log[i][number].get<double>(), y = b.log[i][number].get<double>();
      difference = std::max(difference, std::abs(x - y) / std::max(1.0, std::abs(x)));
    }
  }
  return difference;
}

}  // namespace

TEST_CASE("ranks with synchronised batch norms train a whole network as one rank does, in float64") {
  const bool mobile = GENERATE(true, false);
  const Trained one = train(1, mobile);
  REQUIRE(one.log.size() == kSteps);
  for (const int64_t ranks : {2, 3}) {
    const Trained many = train(ranks, mobile);
    REQUIRE(many.log.size() == one.log.size());
    CHECK(largest_difference(one, many) < 1e-9);
  }
}

TEST_CASE("with local statistics the numbers differ: the test above can fail") {
  CHECK(largest_difference(train(1, true), train(2, true, BatchNormStatistics::kLocal)) > 1e-4);
}
