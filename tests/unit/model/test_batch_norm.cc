// The fused operation against LibTorch's batch_norm, prelu and sum in float64, and against finite
// differences.
#include <torch/torch.h>

#include "uir/model/batch_norm.h"
//
#include <barrier>
#include <thread>
#include <vector>

#include "support/catch.h"
#include "support/errors.h"
#include "support/tensor_errors.h"
#include "uir/base/error.h"

namespace uir {
namespace {

struct Case {
  std::vector<int64_t> shape;
  bool prelu = true;
  bool residual = false;
  bool training = true;
};

// Arguments in float64 with x off centre, as convolutions produce it.
BatchNormArgs make_args(const Case& c) {
  const int64_t channels = c.shape[1];
  std::vector<int64_t> per_channel(c.shape.size(), 1);
  per_channel[1] = channels;
  BatchNormArgs args{
      .x = random_tensor(c.shape, 1, at::kDouble) * 1.7 + 3 * random_tensor(per_channel, 2, at::kDouble),
      .weight = 1 + 0.3 * random_tensor({channels}, 3, at::kDouble),
      .bias = 0.5 * random_tensor({channels}, 4, at::kDouble),
      .running_mean = random_tensor({channels}, 5, at::kDouble),
      .running_var = 0.5 + random_tensor({channels}, 6, at::kDouble).square(),
      .training = c.training};
  if (c.prelu) args.slope = 0.25 + 0.1 * random_tensor({channels}, 7, at::kDouble);
  if (c.residual) args.residual = random_tensor(c.shape, 8, at::kDouble);
  return args;
}

std::vector<at::Tensor*> differentiable(BatchNormArgs& args) {
  std::vector<at::Tensor*> tensors = {&args.x, &args.weight, &args.bias};
  if (args.slope.defined()) tensors.push_back(&args.slope);
  if (args.residual.defined()) tensors.push_back(&args.residual);
  return tensors;
}

at::Tensor by_library(const BatchNormArgs& a) {
  at::Tensor y = at::batch_norm(a.x, a.weight, a.bias, a.running_mean, a.running_var, a.training, a.momentum,
                                a.epsilon, false);
  if (a.slope.defined()) y = at::prelu(y, a.slope);
  return a.residual.defined() ? y + a.residual : y;
}

// Copies with gradients: data in `data`, parameters and statistics in `parameters`.
BatchNormArgs converted(const BatchNormArgs& args, at::ScalarType data, at::ScalarType parameters) {
  BatchNormArgs copy = args;
  for (at::Tensor* t : {&copy.x, &copy.residual}) {
    if (t->defined()) *t = t->to(data, false, /*copy=*/true);
  }
  for (at::Tensor* t : {&copy.weight, &copy.bias, &copy.running_mean, &copy.running_var, &copy.slope}) {
    if (t->defined()) *t = t->to(parameters, false, /*copy=*/true);
  }
  for (at::Tensor* t : differentiable(copy)) t->requires_grad_();
  return copy;
}

void compare(const Case& c, at::ScalarType type, double tolerance) {
  BatchNormArgs exact = make_args(c);
  if (type == at::kBFloat16) {  // the rounding of the data is not the operation's error
    for (at::Tensor* t : {&exact.x, &exact.residual}) {
      if (t->defined()) *t = t->to(type).to(at::kDouble);
    }
  }
  BatchNormArgs ours = converted(exact, type, type == at::kDouble ? at::kDouble : at::kFloat);
  BatchNormArgs theirs = converted(exact, at::kDouble, at::kDouble);
  const at::Tensor y = batch_norm(ours), expected = by_library(theirs);
  const at::Tensor direction = random_tensor(c.shape, 9, at::kDouble).to(type);
  y.backward(direction);
  expected.backward(direction.to(at::kDouble));

  CHECK(y.scalar_type() == type);
  CHECK(relative_error(y.detach(), expected.detach()) < tolerance);
  const auto our_tensors = differentiable(ours), their_tensors = differentiable(theirs);
  for (size_t i = 0; i < our_tensors.size(); ++i) {
    INFO("gradient " << i);
    CHECK(our_tensors[i]->grad().scalar_type() == our_tensors[i]->scalar_type());
    CHECK(our_tensors[i]->grad().sizes() == our_tensors[i]->sizes());
    CHECK(relative_error(our_tensors[i]->grad(), their_tensors[i]->grad()) < tolerance);
  }
  const double statistics_tolerance = std::min(tolerance, 1e-5);
  CHECK(relative_error(ours.running_mean, theirs.running_mean) < statistics_tolerance);
  CHECK(relative_error(ours.running_var, theirs.running_var) < statistics_tolerance);
}

const Case kCases[] = {{{4, 32, 7, 5}},
                       {{3, 13, 5, 3}},
                       {{2, 1, 3, 3}},
                       {{5, 8, 1, 1}},
                       {{7, 37}},
                       {{2, 40, 61, 3}},
                       {{4, 24, 6, 6}, false, false},
                       {{4, 24, 6, 6}, false, true},
                       {{4, 24, 6, 6}, true, true},
                       {{16, 64, 14, 14}, true, false},
                       {{4, 24, 6, 6}, true, true, false},
                       {{4, 24, 6, 6}, false, true, false},
                       {{1, 19, 1, 1}, true, false, false}};

TEST_CASE("the fused operation equals LibTorch's operators in every type") {
  for (const Case& c : kCases) {
    INFO(c.shape << " prelu " << c.prelu << " residual " << c.residual << " training " << c.training);
    compare(c, at::kDouble, 1e-11);
    compare(c, at::kFloat, 2e-5);
    compare(c, at::kBFloat16, 8e-3);
  }
}

TEST_CASE("several threads give what one gives, and the same every time") {
  const int threads = at::get_num_threads();
  const Case c{{16, 64, 14, 14}, true, true};
  const auto run = [&](int num_threads) {
    at::set_num_threads(num_threads);
    BatchNormArgs args = converted(make_args(c), at::kFloat, at::kFloat);
    batch_norm(args).backward(random_tensor(c.shape, 9, at::kDouble).to(at::kFloat));
    return std::pair(args.x.grad(), args.weight.grad());
  };
  const auto [x1, weight1] = run(1);
  const auto [x3, weight3] = run(3);
  const auto [x3_again, weight3_again] = run(3);
  at::set_num_threads(threads);
  CHECK(relative_error(x3, x1) < 1e-6);
  CHECK(relative_error(weight3, weight1) < 1e-6);
  CHECK(x3.equal(x3_again));
  CHECK(weight3.equal(weight3_again));
}

TEST_CASE("any memory layout of input, residual and gradient is accepted") {
  const Case c{{4, 6, 5, 3}, true, true};
  const BatchNormArgs exact = make_args(c);
  const auto run = [&](auto&& layout) {
    BatchNormArgs args = exact;
    args.x = layout(exact.x).detach();
    args.residual = layout(exact.residual).detach();
    for (at::Tensor* t : differentiable(args)) t->requires_grad_(false).requires_grad_();
    args.weight = exact.weight.clone().detach().requires_grad_();
    args.running_mean = exact.running_mean.clone();
    args.running_var = exact.running_var.clone();
    const at::Tensor y = batch_norm(args);
    CHECK(y.is_contiguous(at::MemoryFormat::ChannelsLast));
    y.backward(layout(random_tensor(c.shape, 9, at::kDouble)));
    return std::vector<at::Tensor>{y.detach(), args.x.grad(), args.weight.grad()};
  };
  const auto plain = run([](const at::Tensor& t) { return t.contiguous(); });
  const auto channels_last =
      run([](const at::Tensor& t) { return t.contiguous(at::MemoryFormat::ChannelsLast); });
  const auto strided = run([](const at::Tensor& t) { return at::cat({t, t}, 3).slice(3, 0, 3); });
  const auto transposed =
      run([](const at::Tensor& t) { return t.transpose(0, 3).contiguous().transpose(0, 3); });
  for (const auto& other : {channels_last, strided, transposed}) {
    for (size_t i = 0; i < plain.size(); ++i) CHECK(other[i].equal(plain[i]));
  }
}

TEST_CASE("gradients agree with finite differences") {
  for (const bool training : {true, false}) {
    const Case c{{2, 3, 3, 2}, true, true, training};
    BatchNormArgs args = converted(make_args(c), at::kDouble, at::kDouble);
    const at::Tensor direction = random_tensor(c.shape, 9, at::kDouble);
    const auto loss = [&] { return (batch_norm(args) * direction).sum(); };
    loss().backward();
    const at::NoGradGuard no_grad;
    for (at::Tensor* tensor : differentiable(args)) {
      const at::Tensor gradient = tensor->grad().contiguous().flatten();
      for (int64_t i = 0; i < tensor->numel(); ++i) {
        constexpr double kStep = 1e-6;
        double& value = tensor->data_ptr<double>()[i];
        const double before = value;
        value = before + kStep;
        const double above = loss().item<double>();
        value = before - kStep;
        const double below = loss().item<double>();
        value = before;
        CHECK((above - below) / (2 * kStep) == Approx(gradient[i].item<double>()).margin(1e-6));
      }
    }
  }
}

TEST_CASE("the variance survives a mean far from zero") {
  const at::Tensor noise = random_tensor({64, 8, 4, 4}, 1, at::kDouble);
  BatchNormArgs args = converted({.x = noise + 1000,
                                  .weight = at::ones({8}),
                                  .bias = at::zeros({8}),
                                  .running_mean = at::zeros({8}),
                                  .running_var = at::ones({8}),
                                  .momentum = 1},
                                 at::kFloat, at::kFloat);
  batch_norm(args);
  const at::Tensor expected = args.x.detach().to(at::kDouble).var({0, 2, 3}, /*unbiased=*/true);
  CHECK(relative_error(args.running_var, expected) < 1e-5);
}

TEST_CASE("non-finite values reach the result") {
  for (const double value :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
      BatchNormArgs args = make_args({{2, 3, 4, 4}});
      args.x.view(-1)[5] = value;
      CHECK(batch_norm(converted(args, type, at::kFloat)).isnan().any().item<bool>());
    }
  }
}

TEST_CASE("training needs more than one value per channel") {
  for (const std::vector<int64_t>& shape : {std::vector<int64_t>{1, 4}, {1, 4, 1, 1}}) {
    const auto error = error_of([&] { batch_norm(make_args({shape})); });
    REQUIRE(error);
    CHECK(error->kind() == ErrorKind::kConfig);
    CHECK(std::string(error->what()).find("batch of at least 2 images") != std::string::npos);
  }
}

// Ranks as threads that exchange rows.
class Exchange {
 public:
  explicit Exchange(int64_t size) : rows_(static_cast<size_t>(size)), barrier_(size) {}
  GatherRows of(int64_t rank) {
    return [this, rank](const at::Tensor& row) {
      rows_[static_cast<size_t>(rank)] = row;
      barrier_.arrive_and_wait();
      at::Tensor all = at::cat(rows_);
      barrier_.arrive_and_wait();
      return all;
    };
  }

 private:
  std::vector<at::Tensor> rows_;
  std::barrier<> barrier_;
};

TEST_CASE("batch norm: synchronised over ranks of different size it is that of the whole batch") {
  const Case c{{9, 8, 5, 5}, true, true, true};
  BatchNormArgs whole = make_args(c);
  const at::Tensor dy = random_tensor(c.shape, 20, at::kDouble);
  for (at::Tensor* tensor : differentiable(whole)) tensor->requires_grad_();
  const at::Tensor y = batch_norm(whole);
  y.backward(dy);

  const std::vector<int64_t> sizes{4, 2, 3}, starts{0, 4, 6};
  Exchange exchange(3);
  std::vector<BatchNormArgs> parts(3);
  std::vector<at::Tensor> outputs(3);
  std::vector<std::thread> threads;
  for (int64_t rank = 0; rank < 3; ++rank) {
    threads.emplace_back([&, rank] {
      BatchNormArgs args = make_args(c);
      args.x = args.x.narrow(0, starts[rank], sizes[rank]).clone();
      args.residual = args.residual.narrow(0, starts[rank], sizes[rank]).clone();
      args.gather = exchange.of(rank);
      for (at::Tensor* tensor : differentiable(args)) tensor->requires_grad_();
      outputs[rank] = batch_norm(args);
      outputs[rank].backward(dy.narrow(0, starts[rank], sizes[rank]));
      parts[rank] = args;
    });
  }
  for (std::thread& thread : threads) thread.join();

  const auto close = [](const at::Tensor& a, const at::Tensor& b) {
    return at::allclose(a, b, 1e-11, 1e-12);
  };
  CHECK(close(at::cat(outputs), y));
  CHECK(close(at::cat({parts[0].x.grad(), parts[1].x.grad(), parts[2].x.grad()}), whole.x.grad()));
  CHECK(close(parts[0].weight.grad() + parts[1].weight.grad() + parts[2].weight.grad(), whole.weight.grad()));
  CHECK(close(parts[0].slope.grad() + parts[1].slope.grad() + parts[2].slope.grad(), whole.slope.grad()));
  for (const BatchNormArgs& part : parts) {
    CHECK(close(part.running_mean, whole.running_mean));
    CHECK(close(part.running_var, whole.running_var));
    CHECK(part.running_var.equal(parts[0].running_var));
  }
}

}  // namespace
}  // namespace uir
