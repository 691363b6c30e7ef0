// The convolution with two channels per group against LibTorch's.
#include <torch/torch.h>

#include "uir/model/pair_conv.h"
//
#include "support/catch.h"
#include "support/tensor_errors.h"

namespace uir {
namespace {

struct Result {
  at::Tensor y, x_gradient, weight_gradient;
};

template <class Convolve>
Result differentiate(at::Tensor x, at::Tensor weight, const at::Tensor& direction, Convolve&& convolve) {
  x = x.detach().requires_grad_();
  weight = weight.detach().requires_grad_();
  const at::Tensor y = convolve(x, weight);
  y.backward(direction.to(y.scalar_type()));
  return {y.detach(), x.grad(), weight.grad()};
}

at::Tensor by_library(const at::Tensor& x, const at::Tensor& weight) {
  return at::conv2d(x, weight, {}, 1, 1, 1, weight.size(0) / 2);
}

TEST_CASE("the pair convolution equals LibTorch's grouped convolution in float64") {
  const std::vector<std::vector<int64_t>> shapes = {{2, 16, 7, 5},  {3, 8, 4, 4}, {1, 24, 1, 1},
                                                    {2, 40, 1, 9},  {2, 2, 6, 1}, {4, 64, 10, 3},
                                                    {1, 18, 11, 13}};
  for (const auto& shape : shapes) {
    INFO(shape);
    const at::Tensor x = random_tensor(shape, 1), weight = random_tensor({shape[1], 2, 3, 3}, 2),
                     direction = random_tensor(shape, 3);
    const Result ours = differentiate(x, weight, direction, pair_conv);
    const Result exact = differentiate(x.to(at::kDouble), weight.to(at::kDouble), direction, by_library);
    CHECK(ours.y.is_contiguous(at::MemoryFormat::ChannelsLast));
    CHECK(relative_error(ours.y, exact.y) < 1e-6);
    CHECK(relative_error(ours.x_gradient, exact.x_gradient) < 1e-6);
    CHECK(relative_error(ours.weight_gradient, exact.weight_gradient) < 1e-6);

    const at::Tensor half = x.to(at::kBFloat16), half_direction = direction.to(at::kBFloat16);
    const Result rounded = differentiate(half, weight, half_direction, pair_conv);
    const Result expected =
        differentiate(half.to(at::kDouble), weight.to(at::kDouble), half_direction, by_library);
    CHECK(rounded.y.scalar_type() == at::kBFloat16);
    CHECK(rounded.weight_gradient.scalar_type() == at::kFloat);
    CHECK(relative_error(rounded.y, expected.y) < 4e-3);
    CHECK(relative_error(rounded.x_gradient, expected.x_gradient) < 4e-3);
    CHECK(relative_error(rounded.weight_gradient, expected.weight_gradient) < 1e-6);
  }
}

TEST_CASE("the pair convolution accepts any layout and any number of threads") {
  const at::Tensor x = random_tensor({6, 32, 9, 9}, 1), weight = random_tensor({32, 2, 3, 3}, 2),
                   direction = random_tensor({6, 32, 9, 9}, 3);
  const Result one = differentiate(x, weight, direction, pair_conv);
  const int threads = at::get_num_threads();
  at::set_num_threads(3);
  const Result three = differentiate(x.transpose(0, 3).contiguous().transpose(0, 3), weight,
                                     direction.contiguous(at::MemoryFormat::ChannelsLast), pair_conv);
  at::set_num_threads(threads);
  CHECK(three.y.equal(one.y));
  CHECK(three.x_gradient.equal(one.x_gradient));
  CHECK(relative_error(three.weight_gradient, one.weight_gradient) < 1e-6);
}

TEST_CASE("types without a kernel take LibTorch's road") {
  const at::Tensor x = random_tensor({2, 8, 5, 5}, 1).to(at::kDouble),
                   weight = random_tensor({8, 2, 3, 3}, 2).to(at::kDouble);
  CHECK(pair_conv(x, weight).equal(by_library(x, weight)));
}

}  // namespace
}  // namespace uir
