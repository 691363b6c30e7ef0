#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/nn/utils/clip_grad.h>
#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <vector>

#include "support/catch.h"
#include "uir/base/error.h"
#include "uir/device/fused_update.h"
#include "uir/train/device_update.h"
#include "uir/train/optimizer.h"

using namespace uir;

namespace {

OptimizerConfig sgd(double momentum = 0.9, double decay = 5e-4) {
  return {SgdConfig{momentum}, decay, true, 0};
}
OptimizerConfig adamw() { return {AdamWConfig{0.9, 0.98, 1e-7}, 0.05, true, 0}; }

// A matrix beyond one block, a channels-last weight, a scalar and an empty parameter; the second does not
// decay.
std::vector<at::Tensor> make_tensors(at::ScalarType type) {
  at::manual_seed(3);
  std::vector<at::Tensor> tensors{at::randn({300, 257}, type),
                                  at::randn({8, 3, 5, 2}, type).contiguous(at::MemoryFormat::ChannelsLast),
                                  at::randn({}, type), at::randn({0, 4}, type)};
  for (at::Tensor& tensor : tensors) tensor.requires_grad_();
  return tensors;
}

std::vector<Parameter> as_parameters(const std::vector<at::Tensor>& tensors) {
  std::vector<Parameter> parameters;
  for (size_t i = 0; i < tensors.size(); ++i)
    parameters.push_back({concat("p", i), tensors[i], i != 1, i == 0});
  return parameters;
}

// The same gradients for any copy of the tensors; some steps give them in another memory layout.
void set_gradients(std::vector<at::Tensor>& tensors, int step) {
  at::manual_seed(100 + step);
  for (at::Tensor& tensor : tensors) {
    const at::Tensor gradient = at::randn(tensor.sizes(), tensor.options().requires_grad(false));
    tensor.mutable_grad() =
        tensor.dim() == 4 && step % 2 ? gradient.contiguous(at::MemoryFormat::ChannelsLast) : gradient;
  }
}

// Relative to the largest element.
double difference(const at::Tensor& a, const at::Tensor& b) {
  if (a.numel() == 0) return 0;
  const at::Tensor x = a.detach().to(at::kDouble), y = b.detach().to(at::kDouble);
  return ((x - y).abs().max() / y.abs().max()).item<double>();
}

std::vector<at::Tensor> clones(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> copies;
  for (const at::Tensor& tensor : tensors) copies.push_back(tensor.detach().clone().requires_grad_());
  return copies;
}

// Ten steps side by side with LibTorch's optimizer; returns the largest difference of weights.
template <class Reference, class Options>
double compare(const OptimizerConfig& config, const Options& options, at::ScalarType type, double factor) {
  std::vector<at::Tensor> ours = make_tensors(type), theirs = clones(ours);
  Optimizer optimizer(config, as_parameters(ours));
  std::vector<torch::optim::OptimizerParamGroup> groups;
  groups.emplace_back(std::vector<at::Tensor>{theirs[0], theirs[2], theirs[3]},
                      std::make_unique<Options>(options));
  groups.emplace_back(std::vector<at::Tensor>{theirs[1]},
                      std::make_unique<Options>(Options(options).weight_decay(0)));
  // No decay by default: LibTorch 2.15 takes a group's 0 for "not given".
  Reference reference(groups, Options(options).weight_decay(0));
  for (int step = 0; step < 10; ++step) {
    set_gradients(ours, step);
    set_gradients(theirs, step);
    for (at::Tensor& tensor : theirs) tensor.mutable_grad().mul_(factor);
    const double rate = 0.1 / (1 + step);
    optimizer.step(rate, {factor, factor});
    for (auto& group : reference.param_groups()) group.options().set_lr(rate);
    reference.step();
  }
  double largest = 0;
  for (size_t i = 0; i < ours.size(); ++i) largest = std::max(largest, difference(ours[i], theirs[i]));
  return largest;
}

using torch::optim::AdamWOptions;
using torch::optim::SGDOptions;

double compare_sgd(double momentum, at::ScalarType type, double factor) {
  return compare<torch::optim::SGD>(sgd(momentum), SGDOptions(0.1).momentum(momentum).weight_decay(5e-4),
                                    type, factor);
}

double compare_adamw(at::ScalarType type, double factor) {
  const auto options = AdamWOptions(0.1).betas({0.9, 0.98}).eps(1e-7).weight_decay(0.05);
  return compare<torch::optim::AdamW>(adamw(), options, type, factor);
}

// The values after some steps from fixed gradients; threads for tensor arithmetic.
std::vector<at::Tensor> after_steps(const OptimizerConfig& config, int threads, int steps) {
  const int before = at::get_num_threads();
  at::set_num_threads(threads);
  std::vector<at::Tensor> tensors = make_tensors(at::kFloat);
  Optimizer optimizer(config, as_parameters(tensors));
  for (int step = 0; step < steps; ++step) {
    set_gradients(tensors, step);
    optimizer.step(0.01);
  }
  at::set_num_threads(before);
  return tensors;
}

double sharded_square(const Optimizer& optimizer) {
  return optimizer.gradient_squares().sharded.item<double>();
}
double replicated_square(const Optimizer& optimizer) {
  return optimizer.gradient_squares().replicated.item<double>();
}

ErrorKind kind_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& e) {
    return e.kind();
  }
  return ErrorKind::kStopped;  // no error
}

}  // namespace

TEST_CASE("optimizer: SGD gives LibTorch's weights") {
  CHECK(compare_sgd(0.9, at::kDouble, 1) < 1e-14);
  CHECK(compare_sgd(0.9, at::kDouble, 0.125) < 1e-14);
  CHECK(compare_sgd(0, at::kDouble, 1) < 1e-14);
  CHECK(compare_sgd(0.9, at::kFloat, 1) < 1e-6);
  CHECK(compare_sgd(0.9, at::kFloat, 0.3) < 1e-6);
}

TEST_CASE("optimizer: AdamW gives LibTorch's weights") {
  CHECK(compare_adamw(at::kDouble, 1) < 1e-14);
  CHECK(compare_adamw(at::kDouble, 0.125) < 1e-14);
  CHECK(compare_adamw(at::kFloat, 1) < 2e-6);
}

// What other devices run, here on the CPU's memory: one step of each kind, of all elements at once.
TEST_CASE("optimizer: the update of other devices is the CPU's") {
  const bool skip = GENERATE(false, true);
  for (const OptimizerConfig& config : {sgd(), adamw()}) {
    CAPTURE(config.rule.index(), skip);
    at::manual_seed(6);
    const at::Tensor ours = at::randn({1000}, at::kDouble).requires_grad_(), theirs = ours.detach().clone();
    Optimizer optimizer(config, {{"w", ours, true, false}});
    const UpdateLists lists{
        {theirs},
        {at::empty({1000}, at::kDouble)},
        {at::zeros({1000}, at::kDouble)},
        config.rule.index() == 0 ? TensorList{} : TensorList{at::zeros({1000}, at::kDouble)}};
    for (int step = 1; step <= 3; ++step) {
      const at::Tensor gradient = at::randn({1000}, at::kDouble);
      if (skip) gradient[7].fill_(std::numeric_limits<double>::quiet_NaN());
      ours.mutable_grad() = gradient.clone();
      lists.gradients[0].copy_(gradient);
      GradientFactors factors(0.5, 1);
      factors.skip = at::scalar_tensor(skip, at::kBool);
      optimizer.step(0.1, factors);
      update_on_device(config, 0.1, config.weight_decay, lists,
                       {factors.replicated, factors.skip, at::scalar_tensor(step, at::kLong)});
      CHECK(difference(ours, theirs) < 1e-7);  // the factor is float32 there
      for (const auto& [name, tensor] : optimizer.state(false)) {
        if (name == "step") CHECK(tensor.item<int64_t>() == (skip ? 0 : step));
        if (name == "momentum/w" || name == "mean/w")
          CHECK(at::allclose(tensor, lists.first[0], 1e-6, 1e-12));
        if (name == "square/w") CHECK(at::allclose(tensor, lists.second[0], 1e-6, 1e-12));
      }
    }
  }
}

TEST_CASE("optimizer: a skipped step changes nothing") {
  for (const OptimizerConfig& config : {sgd(), adamw()}) {
    std::vector<at::Tensor> tensors = make_tensors(at::kFloat);
    Optimizer optimizer(config, as_parameters(tensors));
    set_gradients(tensors, 0);
    optimizer.step(0.1);
    const auto before = clones(tensors);
    NamedTensors state;
    for (const auto& [name, tensor] : optimizer.state(false)) state[name] = tensor.clone();
    set_gradients(tensors, 1);
    GradientFactors factors;
    factors.skip = at::scalar_tensor(true, at::kBool);
    optimizer.step(0.1, factors);
    for (size_t i = 0; i < tensors.size(); ++i) CHECK(at::equal(tensors[i], before[i]));
    for (const auto& [name, tensor] : optimizer.state(false)) CHECK(at::equal(tensor, state.at(name)));
  }
}

TEST_CASE("optimizer: results do not depend on the number of threads") {
  for (const OptimizerConfig& config : {sgd(), adamw()}) {
    const auto one = after_steps(config, 1, 3), three = after_steps(config, 3, 3);
    for (size_t i = 0; i < one.size(); ++i) CHECK(at::equal(one[i], three[i]));
  }
}

TEST_CASE("optimizer: a parameter without a gradient stays as it is") {
  std::vector<at::Tensor> tensors = make_tensors(at::kFloat);
  const auto before = clones(tensors);
  Optimizer optimizer(sgd(), as_parameters(tensors));
  set_gradients(tensors, 0);
  tensors[0].mutable_grad() = at::Tensor();
  optimizer.step(0.1);
  CHECK(at::equal(tensors[0], before[0]));
  CHECK_FALSE(at::equal(tensors[1], before[1]));
}

TEST_CASE("optimizer: touched rows follow the rule, all others keep weight and state bit by bit") {
  const at::ScalarType type = GENERATE(at::kFloat, at::kDouble);
  for (const OptimizerConfig& config : {sgd(), adamw()}) {
    at::manual_seed(4);
    // A row of 3000 elements: several blocks of rows.
    const at::Tensor centers = at::randn({70, 3000}, type).requires_grad_();
    const at::Tensor same = centers.detach().clone().requires_grad_();
    const auto touched = std::make_shared<TouchedRows>();
    Optimizer optimizer(config, {{"centers", centers, true, true, touched}});
    Optimizer whole(config, {{"centers", same, true, true}});
    for (const int64_t stride : {1, 3, 5}) {  // the first step touches all
      optimizer.zero_gradients();
      const at::Tensor rows = at::arange(0, 70, stride, at::kLong);
      stride == 1 ? touched->add_all() : touched->add(rows);
      const at::Tensor gradient = at::zeros({70, 3000}, type);
      gradient.index_copy_(0, rows, at::randn({rows.size(0), 3000}, type));
      centers.mutable_grad() = gradient.clone();
      same.mutable_grad() = gradient.clone();
      const auto snapshot = [&] {
        std::vector<at::Tensor> tensors{centers.detach().clone()};
        for (const auto& [name, tensor] : optimizer.state(true)) tensors.push_back(tensor.clone());
        return tensors;
      };
      const std::vector<at::Tensor> before = snapshot();
      CHECK(sharded_square(optimizer) == Approx(sharded_square(whole)).epsilon(1e-12));
      optimizer.step(0.1, {0.5, 0.5});
      whole.step(0.1, {0.5, 0.5});
      const std::vector<at::Tensor> after = snapshot();
      // The oracle: the update of all rows.
      std::vector<at::Tensor> all{same.detach()};
      for (const auto& [name, tensor] : whole.state(true)) all.push_back(tensor);
      for (size_t i = 0; i < after.size(); ++i) {
        const at::Tensor others = at::ones({70}, at::kBool).index_fill_(0, rows, false).nonzero().flatten();
        CHECK(at::equal(after[i].index_select(0, others), before[i].index_select(0, others)));
        CHECK(at::equal(after[i].index_select(0, rows), all[i].index_select(0, rows)));
        all[i].copy_(after[i]);
      }
    }
    CHECK(optimizer.state(false).at("step").item<int64_t>() == 3);
    optimizer.zero_gradients();
    CHECK(centers.grad().abs().max().item<double>() == 0);
    CHECK(touched->rows().numel() == 0);
    const at::Tensor last = centers.detach().clone();
    optimizer.step(0.1);  // nothing touched: nothing moves
    CHECK(at::equal(centers.detach(), last));
  }
}

TEST_CASE("optimizer: the gradient's squares are exact to float64 and independent of threads") {
  std::vector<at::Tensor> tensors = make_tensors(at::kFloat);
  set_gradients(tensors, 1);
  Optimizer optimizer(sgd(), as_parameters(tensors));
  const auto square = [&](size_t i) {
    return tensors[i].grad().to(at::kDouble).square().sum().item<double>();
  };
  const double sharded = sharded_square(optimizer);
  CHECK(sharded == Approx(square(0)).epsilon(1e-13));
  CHECK(replicated_square(optimizer) == Approx(square(1) + square(2)).epsilon(1e-13));
  at::set_num_threads(3);
  CHECK(sharded_square(optimizer) == sharded);
  at::set_num_threads(1);

  // Squares beyond float32 stay finite: only a gradient that is itself not finite counts as such.
  tensors[0].grad().fill_(1e30);
  CHECK(sharded_square(optimizer) == Approx(1e60 * 300 * 257));
  for (const double bad :
       {std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
    tensors[0].grad().view({-1})[77000].fill_(bad);
    CHECK_FALSE(std::isfinite(sharded_square(optimizer)));
    CHECK(std::isfinite(replicated_square(optimizer)));
  }
}

TEST_CASE("optimizer: clipping as torch's clip_grad_norm_") {
  const auto factor = [](double norm, double limit) {
    return clip_factor(at::scalar_tensor(norm, at::kDouble), limit).item<double>();
  };
  CHECK(factor(10, 5) == Approx(5 / (10 + 1e-6)));
  CHECK(factor(4, 5) == 1);
  CHECK(factor(1e9, 0) == 1);
}

// The oracle is LibTorch's clip_grad_norm_, over the network's parameters (arcface_torch's train_v2.py) or
// all.
TEST_CASE("optimizer: the norm of the whole gradient is limited, or that of the network alone") {
  const ClipScope scope = GENERATE(ClipScope::kAll, ClipScope::kBackbone);
  const double limit = GENERATE(3.0, 1e6);  // below and above the norms
  std::vector<at::Tensor> ours = make_tensors(at::kDouble), theirs = clones(ours);
  OptimizerConfig config = sgd();
  config.clip_norm = limit;
  config.clip_scope = scope;
  Optimizer optimizer(config, as_parameters(ours));  // of which the first is sharded
  torch::optim::SGD reference(theirs, SGDOptions(0.1).momentum(0.9).weight_decay(5e-4));
  set_gradients(ours, 0);
  set_gradients(theirs, 0);
  const bool all = scope == ClipScope::kAll;
  torch::nn::utils::clip_grad_norm_(std::vector<at::Tensor>(theirs.begin() + (all ? 0 : 1), theirs.end()),
                                    limit);
  optimizer.step(0.1, clip_factors(config, optimizer.gradient_squares()));
  reference.step();
  for (const size_t i : {0, 2, 3}) CHECK(difference(ours[i], theirs[i]) < 1e-12);
  // The other one, which does not decay here.
  const at::Tensor without_decay = theirs[1] + 0.1 * 5e-4 * make_tensors(at::kDouble)[1];
  CHECK(difference(ours[1], without_decay) < 1e-12);
}

TEST_CASE("optimizer: gradients are zeroed in place") {
  std::vector<at::Tensor> tensors = make_tensors(at::kFloat);
  Optimizer optimizer(sgd(), as_parameters(tensors));
  optimizer.zero_gradients();  // none yet
  set_gradients(tensors, 0);
  const void* memory = tensors[0].grad().data_ptr();
  optimizer.zero_gradients();
  CHECK(tensors[0].grad().data_ptr() == memory);
  CHECK(tensors[0].grad().abs().max().item<float>() == 0);
}

TEST_CASE("optimizer: saved and loaded, it goes on to the same bits") {
  for (const OptimizerConfig& config : {sgd(), adamw()}) {
    const auto expected = after_steps(config, 1, 6);
    std::vector<at::Tensor> tensors = make_tensors(at::kFloat);
    Optimizer first(config, as_parameters(tensors));
    for (int step = 0; step < 3; ++step) {
      set_gradients(tensors, step);
      first.step(0.01);
    }
    const auto copy = [](NamedTensors state) {
      for (auto& [name, tensor] : state) tensor = tensor.clone(at::MemoryFormat::Contiguous);
      return state;
    };
    const NamedTensors replicated = copy(first.state(false)), sharded = copy(first.state(true));
    std::vector<at::Tensor> resumed = clones(tensors);
    Optimizer second(config, as_parameters(resumed));
    second.load_state(replicated, sharded);
    for (int step = 3; step < 6; ++step) {
      set_gradients(resumed, step);
      second.step(0.01);
    }
    for (size_t i = 0; i < expected.size(); ++i) CHECK(at::equal(resumed[i], expected[i]));
  }
}

TEST_CASE("optimizer: names of the state, and states that do not fit") {
  std::vector<at::Tensor> tensors = make_tensors(at::kFloat);
  Optimizer optimizer(adamw(), as_parameters(tensors));
  NamedTensors replicated = optimizer.state(false), sharded = optimizer.state(true);
  CHECK(sharded.size() == 2);
  CHECK(sharded.at("mean/p0").sizes() == tensors[0].sizes());
  CHECK(sharded.contains("square/p0"));
  CHECK(replicated.size() == 7);
  CHECK(replicated.contains("step"));

  const auto refused = [&](const NamedTensors& a, const NamedTensors& b) {
    return kind_of([&] { optimizer.load_state(a, b); }) == ErrorKind::kData;
  };
  CHECK(kind_of([&] { optimizer.load_state(replicated, sharded); }) == ErrorKind::kStopped);
  CHECK(refused(sharded, replicated));
  NamedTensors changed = replicated;
  changed.erase("step");
  CHECK(refused(changed, sharded));
  changed = replicated;
  changed["extra"] = at::zeros({1});
  CHECK(refused(changed, sharded));
  changed = sharded;
  changed["mean/p0"] = at::zeros({300, 256});
  CHECK(refused(replicated, changed));
  changed["mean/p0"] = at::zeros({300, 257}, at::kDouble);
  CHECK(refused(replicated, changed));
  Optimizer other(sgd(), as_parameters(tensors));
  CHECK(kind_of([&] { other.load_state(replicated, sharded); }) == ErrorKind::kData);
}
