// What a training step is made of on the device under test (support/device.h): losses, updates and networks,
// in float32 there, against float64 or the CPU's float32.
#include "support/device.h"
#include "uir/device/transfer.h"
#include "uir/head/head.h"
#include "uir/model/backbone.h"
#include "uir/train/network_passes.h"
#include "uir/train/optimizer.h"
#include "unit/head/naive.h"
//
#include <algorithm>
#include <limits>
#include <span>

#include "support/catch.h"
#include "uir/head/class_sample.h"

namespace uir {
namespace {

using naive::Problem;

double largest(const at::Tensor& x) { return x.numel() == 0 ? 0 : x.abs().max().item<double>(); }

at::Tensor float64(const at::Tensor& x) { return x.detach().to(at::kCPU).to(at::kDouble); }

// The largest difference, relative to the largest expected number.
double error_of(const at::Tensor& value, const at::Tensor& expected) {
  const at::Tensor want = float64(expected);
  return largest(float64(value) - want) / std::max(largest(want), 1e-30);
}

// In its scope nothing may be read from the pretended device, and no single number be copied to it.
class NoWaiting {
 public:
  ~NoWaiting() {
    CHECK(pretend_traffic().reads == before_.reads);
    CHECK(pretend_traffic().scalars == before_.scalars);
  }

 private:
  const PretendTraffic before_ = pretend_traffic();
};

// --- Head -------------------------------------------------------------------------------------------------

constexpr uint64_t kSeed = 5, kKey = 17;

Head head_of(const Problem& p, at::ScalarType type, at::Device device) {
  Head head(p.head, p.reduction, p.centers.size(0), p.centers.size(1), kSeed,
            std::make_shared<Communicator>(), device);
  head.centers() = p.centers.clone().to(type).to(device).set_requires_grad(true);
  return head;
}

HeadLoss run(Head& head, const Problem& p) {
  const HeadStep step{.num_labeled = p.num_labeled(), .uir_weight = p.uir_weight, .sample_key = kKey};
  const at::Tensor embeddings = p.embeddings.to(head.centers().options().requires_grad(false));
  const NoWaiting nobody_waits;
  return head.loss_and_gradients(embeddings, p.labels, step);
}

// More classes than a tile of devices has; several rows of one class.
Problem wide_problem() {
  Problem p = naive::random_problem(12, 5, 20000, 24);
  p.labels[1] = p.labels[0];
  p.labels[2] = 0;
  p.labels[3] = 19999;
  p.embeddings[4] = p.centers[p.labels[4].item<int64_t>()] * 7 + 0.3 * p.embeddings[4];  // a good one
  return p;
}

void sample_classes_of(Problem& p, double rate) {
  p.head.sample_rate = rate;
  const std::span<const int64_t> labels(p.labels.data_ptr<int64_t>(), static_cast<size_t>(p.labels.numel()));
  p.sampled = at::tensor(sample_classes({0, p.centers.size(0)}, rate, labels, kSeed, kKey), at::kLong);
}

void check_head(const Problem& p, at::Device device) {
  Head head = head_of(p, at::kFloat, device), exact = head_of(p, at::kDouble, at::kCPU);
  const HeadLoss loss = run(head, p), exact_loss = run(exact, p);
  const naive::Result expected = naive::solve(p);
  CHECK(loss.numbers.device() == device);
  CHECK(loss[kLabeledLoss] == Approx(expected.labeled).epsilon(1e-5));
  CHECK(loss[kUirLoss] == Approx(expected.uir).epsilon(1e-4));
  CHECK(loss[kTotalLoss] == Approx(expected.labeled + p.uir_weight * expected.uir).epsilon(1e-4));
  CHECK(loss[kCorrect] == exact_loss[kCorrect]);
  CHECK(loss[kCorrectWithMargin] == exact_loss[kCorrectWithMargin]);
  CHECK(error_of(loss.embeddings_gradient, expected.embeddings_gradient) < 1e-4);
  CHECK(error_of(head.centers().grad(), expected.centers_gradient) < 1e-4);
}

}  // namespace

TEST_CASE("device: the head's losses and gradients are the naive formulation's in float64", "[device]") {
  Problem p = wide_problem();
  p.reduction = GENERATE(UirReduction::kReleased, UirReduction::kMean, UirReduction::kSum);
  const bool adaface = GENERATE(false, true);
  if (adaface) p.head.margin = AdaFaceConfig{0.4, 0.333, 0.5};
  CAPTURE(static_cast<int>(p.reduction), adaface);
  check_head(p, test_device());
}

TEST_CASE("device: with class sampling, too", "[device]") {
  Problem p = wide_problem();
  sample_classes_of(p, 0.3);
  check_head(p, test_device());
}

TEST_CASE("device: the head is good to float32 at a scale of 64, for strangers on a center as well",
          "[device]") {
  Problem p = wide_problem();
  p.head.scale = 64;
  p.reduction = GENERATE(UirReduction::kReleased, UirReduction::kMean);
  p.embeddings[13] = p.centers[3] * 5;
  p.embeddings[0] = -p.centers[p.labels[0].item<int64_t>()];
  Head head = head_of(p, at::kFloat, test_device());
  const HeadLoss loss = run(head, p);
  const naive::Result expected = naive::solve(p);
  CHECK(loss[kLabeledLoss] == Approx(expected.labeled).epsilon(1e-5));
  CHECK(loss[kUirLoss] == Approx(expected.uir).epsilon(1e-3));
  CHECK(error_of(loss.embeddings_gradient, expected.embeddings_gradient) < 1e-3);
  CHECK(error_of(head.centers().grad(), expected.centers_gradient) < 1e-3);
}

// --- Optimizer --------------------------------------------------------------------------------------------

namespace {

OptimizerConfig plain() { return {SgdConfig{0}, 5e-4, true, 1}; }
OptimizerConfig sgd() { return {SgdConfig{0.9}, 5e-4, true, 1}; }
OptimizerConfig adamw() { return {AdamWConfig{0.9, 0.98, 1e-7}, 0.05, true, 1}; }

// Class centers, a convolution's weight as the device has it, slopes that do not decay; the
// same numbers on every device.
struct Trained {
  Trained(const OptimizerConfig& config, at::Device on)
      : device(on), touched(std::make_shared<TouchedRows>()), optimizer(config, parameters()) {}

  void set_gradients(int step) {
    optimizer.zero_gradients();
    at::manual_seed(100 + static_cast<uint64_t>(step));
    for (at::Tensor& tensor : tensors)
      tensor.mutable_grad() = at::randn(tensor.sizes(), at::kFloat).to(device);
    const at::Tensor rows = at::arange(0, 300, 1 + step, at::kLong);
    at::Tensor centers = at::zeros({300, 64}, at::kFloat);
    centers.index_copy_(0, rows, at::randn({rows.size(0), 64}, at::kFloat));
    tensors[0].mutable_grad() = centers.to(device);
    touched->add(rows);
  }
  void step(const at::Tensor& skip) {
    GradientFactors factors = clip_factors(config_with_clipping, optimizer.gradient_squares());
    factors.skip = skip.to(device);
    optimizer.step(0.1, factors);
  }
  // Weights and state, in the same order everywhere.
  std::vector<at::Tensor> all() const {
    std::vector<at::Tensor> values;
    for (const at::Tensor& tensor : tensors) values.push_back(float64(tensor).clone());
    if (!has_state) return values;
    for (const bool sharded : {false, true}) {
      for (const auto& [name, tensor] : optimizer.state(sharded)) values.push_back(float64(tensor).clone());
    }
    return values;
  }

  at::Device device;
  std::vector<at::Tensor> tensors;
  std::shared_ptr<TouchedRows> touched;
  Optimizer optimizer;
  OptimizerConfig config_with_clipping = sgd();
  bool has_state = true;  // that matters: without momentum it is what was last added, or nothing

 private:
  std::vector<Parameter> parameters() {
    at::manual_seed(3);
    const auto layout = at::MemoryFormat::ChannelsLast;
    for (const at::Tensor& tensor :
         {at::randn({300, 64}), at::randn({16, 8, 3, 3}).contiguous(layout), at::randn({16})})
      tensors.push_back(tensor.to(device).requires_grad_());
    return {{"centers", tensors[0], true, true, touched},
            {"conv", tensors[1], true, false},
            {"slopes", tensors[2], false, false}};
  }
};

at::Tensor truth(bool value) { return at::scalar_tensor(value, at::kBool); }

}  // namespace

TEST_CASE("device: the optimizer's steps are the CPU's, and a skipped one changes nothing", "[device]") {
  const OptimizerConfig config = GENERATE(plain(), sgd(), adamw());
  Trained here(config, test_device()), there(config, at::kCPU);
  const auto* rule = std::get_if<SgdConfig>(&config.rule);
  here.has_state = there.has_state = !rule || rule->momentum > 0;
  for (int step = 0; step < 4; ++step) {
    for (Trained* trained : {&here, &there}) {
      trained->set_gradients(step);
      trained->step(truth(false));
    }
    const std::vector<at::Tensor> values = here.all(), expected = there.all();
    REQUIRE(values.size() == expected.size());
    for (size_t i = 0; i < values.size(); ++i) CHECK(error_of(values[i], expected[i]) < 2e-6);
  }
  const std::vector<at::Tensor> before = here.all();
  here.set_gradients(4);
  here.tensors[1].mutable_grad().fill_(std::numeric_limits<float>::quiet_NaN());
  here.step(truth(true));
  const std::vector<at::Tensor> after = here.all();
  for (size_t i = 0; i < after.size(); ++i) CHECK(at::equal(after[i], before[i]));
}

TEST_CASE("device: the gradient's squares are the CPU's, and not finite when a gradient is not", "[device]") {
  Trained here(sgd(), test_device()), there(sgd(), at::kCPU);
  for (Trained* trained : {&here, &there}) trained->set_gradients(1);
  const GradientSquares squares = here.optimizer.gradient_squares(),
                        expected = there.optimizer.gradient_squares();
  CHECK(squares.replicated.device() == here.device);
  CHECK(squares.replicated.item<double>() == Approx(expected.replicated.item<double>()).epsilon(1e-6));
  CHECK(squares.sharded.item<double>() == Approx(expected.sharded.item<double>()).epsilon(1e-6));
  here.tensors[2].mutable_grad()[3].fill_(std::numeric_limits<float>::infinity());
  CHECK_FALSE(std::isfinite(here.optimizer.gradient_squares().replicated.item<double>()));
}

// --- Networks ---------------------------------------------------------------------------------------------

namespace {

at::Tensor images_of(int64_t batch) {
  at::manual_seed(5);
  return at::randint(0, 256, {batch, 112, 112, 3}, at::kByte);
}

struct Pass {
  std::shared_ptr<Backbone> network;
  at::Tensor embeddings;
};

Pass train_once(const ModelConfig& config, at::Device device, at::ScalarType type) {
  Pass pass{make_backbone(config, 3), {}};
  move_to(*pass.network, device);
  const at::Tensor images = images_of(6).to(device);
  at::manual_seed(6);
  const at::Tensor direction = at::randn({6, pass.network->embedding_size()}).to(device);
  const NoWaiting nobody_waits;
  pass.embeddings = pass.network->forward(normalize_pixels(images, type));
  pass.embeddings.backward(direction);
  return pass;
}

double relative_error(const at::Tensor& value, const at::Tensor& expected) {
  const at::Tensor want = float64(expected);
  return (float64(value) - want).norm().item<double>() / std::max(want.norm().item<double>(), 1e-12);
}

// Some gradients vanish in exact arithmetic: the measure of all is the largest one.
void check_gradients(const Backbone& network, const Backbone& expected) {
  double size = 0;
  for (const at::Tensor& parameter : expected.parameters()) {
    if (parameter.grad().defined()) size = std::max(size, parameter.grad().norm().item<double>());
  }
  const auto parameters = network.named_parameters();
  for (const auto& item : expected.named_parameters()) {
    INFO(item.key());
    const at::Tensor gradient = parameters[item.key()].grad(), want = item.value().grad();
    REQUIRE(gradient.defined() == want.defined());
    if (!want.defined()) continue;
    const double difference = (float64(gradient) - float64(want)).norm().item<double>();
    CHECK(difference < 0.02 * want.norm().item<double>() + 1e-5 * size);
  }
}

// Some running means are 0 but for rounding; the variances are about 1.
void check_running_statistics(const Backbone& network, const Backbone& expected) {
  const auto buffers = network.named_buffers();
  for (const auto& item : expected.named_buffers()) {
    INFO(item.key());
    const at::Tensor want = float64(item.value());
    CHECK(largest(float64(buffers[item.key()]) - want) < 1e-4 * std::max(1.0, largest(want)));
  }
}

const ModelConfig kResidual{IResNetConfig{.depth = 18, .width = 0.25, .dropout = 0.2}};
const ModelConfig kMobile{MobileFaceNetConfig{.width = 0.25}};

}  // namespace

TEST_CASE("device: a network's embeddings, gradients and statistics are the CPU's", "[device]") {
  const bool mobile = GENERATE(false, true);
  const ModelConfig& config = mobile ? kMobile : kResidual;
  CAPTURE(mobile);
  const Pass here = train_once(config, test_device(), at::kFloat),
             there = train_once(config, at::kCPU, at::kFloat);
  CHECK(here.embeddings.scalar_type() == at::kFloat);
  CHECK(relative_error(here.embeddings, there.embeddings) < 1e-4);
  check_gradients(*here.network, *there.network);
  check_running_statistics(*here.network, *there.network);

  const at::NoGradGuard no_grad;
  for (const Pass* pass : {&here, &there}) pass->network->eval();
  const auto evaluated = [](const Pass& pass, at::Device device) {
    return pass.network->forward(normalize_pixels(images_of(6).to(device), at::kFloat));
  };
  CHECK(relative_error(evaluated(here, test_device()), evaluated(there, at::kCPU)) < 1e-3);
}

TEST_CASE("device: recorded passes are those that are called each time, and only the device works in them",
          "[device]") {
  const bool mobile = GENERATE(false, true);
  const ModelConfig& config = mobile ? kMobile : kResidual;
  CAPTURE(mobile);
  const at::Device device = test_device();
  const auto called = make_backbone(config, 3), recorded = make_backbone(config, 3);
  for (const auto& network : {called, recorded}) move_to(*network, device);
  NetworkPasses plain(called, at::kFloat, nullptr), graphs(recorded, at::kFloat, make_step_graphs(device));
  for (int64_t pass = 0; pass < NetworkPasses::kWarmUps + 3; ++pass) {
    CAPTURE(pass);
    const at::Tensor images = images_of(6).roll(pass, 0).to(device);
    const at::Tensor expected = plain.forward(images), embeddings = graphs.forward(images);
    CHECK(relative_error(embeddings, expected) < 1e-4);
    at::manual_seed(6);
    const at::Tensor direction = at::randn({6, recorded->embedding_size()}).to(device);
    plain.backward(direction);
    graphs.backward(direction);
    check_gradients(*recorded, *called);
    check_running_statistics(*recorded, *called);
  }
  const at::Tensor pixels = normalize_pixels(images_of(6).to(device), at::kFloat);
  recorded->begin_pass(6);
  const PretendTraffic before = pretend_traffic();
  const NoWaiting nobody_waits;
  recorded->pass(pixels);
  CHECK(pretend_traffic().tensors == before.tensors);
}

TEST_CASE("device: training in bf16 is close to the CPU's in float32, with gradients in float32",
          "[device]") {
  const bool mobile = GENERATE(false, true);
  const ModelConfig& config = mobile ? kMobile : kResidual;
  const Pass here = train_once(config, test_device(), at::kBFloat16),
             there = train_once(config, at::kCPU, at::kFloat);
  CHECK(here.embeddings.scalar_type() == at::kFloat);
  CHECK(relative_error(here.embeddings, there.embeddings) < 0.1);
  for (const at::Tensor& parameter : here.network->parameters()) {
    if (parameter.grad().defined()) CHECK(parameter.grad().scalar_type() == at::kFloat);
  }
}

TEST_CASE("device: what goes there and comes back is the same, whatever its layout", "[device]") {
  const at::Device device = test_device();
  at::manual_seed(8);
  for (const at::Tensor& host :
       {at::randn({30, 20}), at::randn({30, 20}).t(), at::randint(256, {2, 3, 4}, at::kByte),
        at::zeros({0, 4}), at::scalar_tensor(3.5, at::kDouble)}) {
    at::Tensor sent = host.clone();
    const at::Tensor there = upload(sent, device);
    CHECK(there.device() == device);
    if (!device.is_cpu()) sent.fill_(0);  // the caller's again
    const Download back(there);
    CHECK(at::equal(back.wait(), host));
    CHECK(back.wait().is_cpu());
  }
}

}  // namespace uir
