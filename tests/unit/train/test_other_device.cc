// Head, network and training loop as other devices run them, on a device that only pretends to be one,
// against the CPU.
#include <ATen/ATen.h>

#include <cmath>
#include <memory>
#include <vector>

#include "support/pretend_device.h"
#include "support/trainer_run.h"
//
#include "support/catch.h"

using namespace uir;

namespace {

double difference(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor x = a.detach().to(at::kCPU, at::kDouble), y = b.detach().to(at::kCPU, at::kDouble);
  return ((x - y).abs().max() / y.abs().max().clamp_min(1e-30)).item<double>();
}

struct HeadRun {
  HeadRun(const HeadConfig& config, UirReduction reduction, at::Device device)
      : head(config, reduction, 300, 16, 1, std::make_shared<Communicator>(), device) {
    at::manual_seed(11);
    const at::Tensor embeddings = at::randn({12, 16}) * 3, labels = at::randint(0, 300, {8}, at::kLong);
    for (uint64_t step = 0; step < 2; ++step) {
      loss = head.loss_and_gradients(embeddings.to(device), labels,
                                     {.num_labeled = 8, .uir_weight = 0.5, .sample_key = step});
    }
  }
  Head head;
  HeadLoss loss;
};

struct DeviceRun : TrainerRun {
  DeviceRun(at::Device on, double rate, int64_t epochs) : TrainerRun(tiny_index()) {
    device = on;
    sample_rate = rate;
    config.epochs = epochs;
    config.batch.accumulation = 2;
    config.checkpoint.every_steps = 1000;
    backbone->poisoned = {8};  // the first micro-batch of the fifth step
  }
};

std::vector<Json> train(TrainerRun& run) {
  run.trainer().run();
  return run.log();
}

}  // namespace

TEST_CASE("another device: the head's loss and gradients are the CPU's") {
  const UirReduction reduction = GENERATE(UirReduction::kReleased, UirReduction::kMean, UirReduction::kSum);
  const bool adaface = GENERATE(false, true);
  const double sample_rate = GENERATE(1.0, 0.3);
  CAPTURE(static_cast<int>(reduction), adaface, sample_rate);
  HeadConfig config;
  config.class_tile = 128;
  config.sample_rate = sample_rate;
  if (adaface) config.margin = AdaFaceConfig();
  HeadRun expected(config, reduction, at::kCPU);
  const PretendTraffic before = pretend_traffic();
  HeadRun run(config, reduction, kPretendDevice);
  const PretendTraffic after = pretend_traffic();
  CHECK(after.reads == before.reads);
  CHECK(after.scalars == before.scalars);
  CHECK(difference(run.loss.numbers, expected.loss.numbers) < 1e-5);
  CHECK(difference(run.loss.embeddings_gradient, expected.loss.embeddings_gradient) < 1e-4);
  CHECK(difference(run.head.centers().grad(), expected.head.centers().grad()) < 1e-4);
  if (adaface) CHECK(difference(run.head.margin_state(), expected.head.margin_state()) < 1e-6);
}

TEST_CASE("another device: the network's embeddings and gradients are the CPU's") {
  ModelConfig config;
  if (GENERATE(false, true)) {
    config.backbone = IResNetConfig{.depth = 18, .width = 0.125, .embedding_size = 32, .dropout = 0.4};
  } else {
    config.backbone = MobileFaceNetConfig{.width = 0.125, .embedding_size = 32};
  }
  CAPTURE(config.backbone.index());
  const auto ours = make_backbone(config, 5), theirs = make_backbone(config, 5);
  move_to(*theirs, kPretendDevice);
  at::manual_seed(3);
  const at::Tensor images = at::randint(0, 256, {3, 112, 112, 3}, at::kByte);
  const PretendTraffic before = pretend_traffic();
  const at::Tensor y = theirs->forward(normalize_pixels(images.to(kPretendDevice), at::kFloat));
  const bool backward = pretend_device_has_backward();
  const at::Tensor direction = at::randn(y.sizes());
  if (backward) y.backward(direction.to(kPretendDevice));
  CHECK(pretend_traffic().reads == before.reads);
  CHECK(pretend_traffic().scalars == before.scalars);
  const at::Tensor expected = ours->forward(normalize_pixels(images, at::kFloat));
  expected.backward(direction);
  CHECK(difference(y, expected) < 1e-3);
  const auto parameters = ours->named_parameters();
  for (const auto& entry : theirs->named_parameters()) {
    if (!backward || !entry.value().requires_grad()) continue;
    CAPTURE(entry.key());
    const at::Tensor gradient = entry.value().grad().cpu(), other = parameters[entry.key()].grad();
    // Biases that a later batch norm takes away have nothing but rounding.
    CHECK((gradient - other).abs().max().item<double>() < 1e-3 * other.abs().max().item<double>() + 1e-4);
  }
  for (const auto& entry : theirs->named_buffers()) {
    if (entry.value().scalar_type() == at::kLong) CHECK(entry.value().is_cpu());
  }
}

TEST_CASE("another device: training is the CPU's, read once a step") {
  if (!pretend_device_has_backward()) return;
  const double sample_rate = GENERATE(1.0, 0.5);
  DeviceRun expected(at::kCPU, sample_rate, 4), run(kPretendDevice, sample_rate, 4),
      longer(kPretendDevice, sample_rate, 8);
  const std::vector<Json> log = train(expected);
  const PretendTraffic start = pretend_traffic();
  const std::vector<Json> theirs = train(run);
  const PretendTraffic once = pretend_traffic();
  train(longer);
  const PretendTraffic twice = pretend_traffic();
  REQUIRE(log.size() == 12);
  REQUIRE(theirs.size() == 12);
  for (size_t i = 0; i < log.size(); ++i) {
    CAPTURE(i);
    CHECK(theirs[i]["step"] == log[i]["step"]);
    CHECK(theirs[i]["skipped"] == log[i]["skipped"]);
    CHECK(theirs[i].contains("rows") == (i == 4));
    if (i == 4) continue;
    CHECK(theirs[i]["total"].get<double>() == Approx(log[i]["total"].get<double>()).epsilon(1e-4));
    CHECK(theirs[i]["gradient_norm"].get<double>() ==
          Approx(log[i]["gradient_norm"].get<double>()).epsilon(1e-3));
  }
  CHECK(difference(run.backbone->weight, expected.backbone->weight) < 1e-3);
  CHECK(difference(run.head->centers(), expected.head->centers()) < 1e-3);
  CHECK(run.backbone->calls.item<float>() == expected.backbone->calls.item<float>());
  // What both runs move besides steps (checkpoints, …) is the same; the rest is one read for each step more.
  CHECK((twice.reads - once.reads) - (once.reads - start.reads) == 12);
  CHECK(twice.scalars - once.scalars == once.scalars - start.scalars);
}
