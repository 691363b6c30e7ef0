// Runs on the device under test (support/device.h) against runs on the CPU: batches, training, embeddings.
#include <ATen/ops/allclose.h>

#include "support/device.h"
#include "support/host_reads.h"
#include "support/trainer_run.h"
#include "uir/embed/extractor.h"
#include "uir/pixels/pixels.h"
#include "uir/train/batch_feed.h"
//
#include <algorithm>

#include "support/catch.h"
#include "support/errors.h"

using namespace uir;

namespace {

struct RunOn : TrainerRun {
  explicit RunOn(at::Device where) : TrainerRun(tiny_index()) { device = where; }
};

// Clipping, decay and two micro-batches a step.
void adjust(TrainerRun& run, double sample_rate, bool adamw) {
  run.sample_rate = sample_rate;
  run.config.batch.accumulation = 2;
  run.config.optimizer.clip_norm = 1;
  run.config.optimizer.weight_decay = 0.01;
  if (adamw) run.config.optimizer.rule = AdamWConfig{};
  if (adamw) run.config.schedule.base_lr = 0.01;
}

void stop_at(TrainerRun& run, int64_t step) {
  run.stop_after_step = step;
  CHECK(kind_of([&] { run.trainer().run(); }) == ErrorKind::kStopped);
}

void resume(TrainerRun& run) {
  run.backbone->weight.detach().zero_();  // everything must come from the checkpoint, as in a new process
  run.backbone->weight.mutable_grad() = at::Tensor();
  Trainer trainer = run.trainer();
  trainer.resume(latest_checkpoint(run.folder / "run/checkpoints").value());
  trainer.run();
}

bool close(const at::Tensor& a, const at::Tensor& b) {
  return at::allclose(a.detach().to(at::kCPU), b.detach().to(at::kCPU), 1e-3, 1e-5);
}

// To the rounding of sums in another order.
void check_same(const TrainerRun& run, const TrainerRun& expected) {
  const std::vector<Json> lines = run.log(), wanted = expected.log();
  REQUIRE(lines.size() == wanted.size());
  for (size_t i = 0; i < lines.size(); ++i) {
    CAPTURE(i);
    REQUIRE(lines[i]["step"] == wanted[i]["step"]);
    for (const char* number : {"labeled", "uir", "total", "gradient_norm"})
      CHECK(lines[i][number].get<double>() == Approx(wanted[i][number].get<double>()).epsilon(1e-3));
    CHECK(lines[i]["accuracy"] == wanted[i]["accuracy"]);
  }
  CHECK(close(run.backbone->weight, expected.backbone->weight));
  CHECK(close(run.backbone->calls, expected.backbone->calls));
  CHECK(close(run.head->centers(), expected.head->centers()));
}

}  // namespace

TEST_CASE("device: a run's losses and weights are the CPU's, and its log is whole", "[device]") {
  const double sample_rate = GENERATE(1.0, 0.5);
  const bool adamw = GENERATE(false, true);
  CAPTURE(sample_rate, adamw);
  RunOn here(test_device()), there(at::kCPU);
  for (RunOn* run : {&here, &there}) {
    adjust(*run, sample_rate, adamw);
    run->trainer().run();
  }
  CHECK(here.head->centers().device() == here.device);
  check_same(here, there);
}

TEST_CASE("device: a run with graphs is the run without them", "[device]") {
  RunOn with(test_device()), without(test_device());
  for (RunOn* run : {&with, &without}) {
    adjust(*run, 1, false);
    run->config.cuda_graphs = run == &with;
    run->trainer().run();
  }
  check_same(with, without);
}

TEST_CASE("device: no step reads a tensor's value on the host but the numbers that are logged", "[device]") {
  const HostReads reads;
  RunOn run(test_device());
  adjust(run, 1, false);
  run.config.checkpoint.every_steps = 1000;
  Trainer trainer = run.trainer();
  const int64_t before = reads.count();
  trainer.run();
  CHECK(reads.count() == before);
}

TEST_CASE("device: each step more is read from it once", "[device]") {
  if (test_device() != kPretendDevice) return;  // which counts
  const auto traffic_of = [](int64_t epochs) {
    RunOn run(kPretendDevice);
    adjust(run, 0.5, false);
    run.config.epochs = epochs;
    run.config.checkpoint.every_steps = 1000;
    const PretendTraffic before = pretend_traffic();
    run.trainer().run();
    REQUIRE(std::ssize(run.log()) == 3 * epochs);
    return PretendTraffic{pretend_traffic().reads - before.reads, pretend_traffic().scalars - before.scalars};
  };
  // What both runs move besides steps (checkpoints, …) is the same.
  const PretendTraffic shorter = traffic_of(4), longer = traffic_of(8);
  CHECK(longer.reads - shorter.reads == 12);
  CHECK(longer.scalars == shorter.scalars);
}

TEST_CASE("device: a stopped run continues, on the device and on a CPU", "[device]") {
  RunOn whole(test_device()), first(test_device()), moved(test_device());
  for (RunOn* run : {&whole, &first, &moved}) adjust(*run, 0.5, true);
  whole.trainer().run();
  for (RunOn* run : {&first, &moved}) {
    stop_at(*run, 7);
    CHECK(run->log().size() == 7);  // the last step was waited for
    run->stop_after_step = 0;
  }
  resume(first);
  moved.device = at::kCPU;
  resume(moved);
  check_same(first, whole);
  check_same(moved, whole);
  if (!whole.device.is_cpu()) return;
  CHECK(first.backbone->weight.equal(whole.backbone->weight));
  CHECK(first.head->centers().equal(whole.head->centers()));
}

TEST_CASE("device: a step that is not finite changes nothing and is logged with its rows", "[device]") {
  RunOn run(test_device()), before(test_device());
  stop_at(before, 3);
  run.backbone->poisoned = {3};
  stop_at(run, 4);
  CHECK(run.backbone->weight.equal(before.backbone->weight));
  CHECK(run.backbone->calls.equal(before.backbone->calls));
  CHECK(run.head->centers().equal(before.head->centers()));
  const auto log = run.log();
  REQUIRE(log.size() == 4);
  CHECK(log[3]["skipped"] == 1);
  CHECK(log[3]["rows"].size() == 14);
}

TEST_CASE("device: steps that are not finite end the run after so many in a row", "[device]") {
  RunOn run(test_device());
  run.config.max_nonfinite_steps = 3;
  run.backbone->poisoned = {1, 3, 5, 6, 7};
  const auto error = error_of([&] { run.trainer().run(); });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::kData);
  CHECK(std::string(error->what()).find("step 8: ") == 0);
  CHECK(run.log().size() == 8);
}

namespace {

constexpr int64_t kBatches = 7, kRows = 3;

Loader loader_of(const Index& index) {
  LoaderOptions options;
  options.num_batches = kBatches;
  const auto plan = [](int64_t batch) {
    std::vector<Sample> samples;
    for (int64_t i = 0; i < kRows; ++i) samples.push_back({batch * kRows + i, batch, 0});
    return samples;
  };
  return Loader(index, plan, options);
}

}  // namespace

TEST_CASE("device: every batch comes once, in order, brought ahead or not", "[device]") {
  const bool ahead = GENERATE(false, true);
  Loader expected = loader_of(tiny_index()), loader = loader_of(tiny_index());
  BatchFeed feed(loader, test_device());
  Batch batch;
  for (int64_t i = 0; i < kBatches; ++i) {
    feed.next();
    REQUIRE(expected.next(batch));
    CHECK(feed.batch().rows == batch.rows);
    REQUIRE(feed.images().device() == test_device());
    if (ahead) feed.prefetch();  // the current images stay what they are
    const at::Tensor images = feed.images().contiguous().cpu();
    CHECK(std::equal(batch.images.begin(), batch.images.end(), images.data_ptr<uint8_t>()));
  }
}

TEST_CASE("device: embeddings are the CPU's, block by block, the last one padded", "[device]") {
  const Index index = tiny_index();
  const std::vector<int64_t> rows = index.set_rows("test");
  const auto embeddings_on = [&](at::Device device) {
    at::manual_seed(7);
    TinyBackbone backbone;
    move_to(backbone, device);
    ExtractOptions options;
    options.batch = 5;
    options.device = device;
    std::vector<at::Tensor> parts;
    embed_rows(index, rows, 0, backbone, options, [&](const EmbeddingBlock& block) {
      CHECK(block.first == std::ssize(parts) * options.batch / 2);
      parts.push_back(block.embeddings.clone());
      parts.push_back(block.mirrored.clone());
    });
    return parts;
  };
  const auto here = embeddings_on(test_device()), there = embeddings_on(at::kCPU);
  REQUIRE(here.size() == 6);
  for (size_t i = 0; i < here.size(); ++i) CHECK(at::allclose(here[i], there[i], 1e-4, 1e-5));
}
