// A convolution whose backward pass is our own, against LibTorch's.
#include <ATen/ATen.h>

#include "uir/model/strided_depthwise.h"
//
#include "support/catch.h"

TEST_CASE("strided depthwise: output and gradients are conv2d's") {
  const int64_t stride = GENERATE(2, 3), size = GENERATE(6, 7, 8, 13);
  const bool wide = GENERATE(false, true);
  const int64_t kernel = wide ? 5 : 3, padding = wide ? 2 : 1;
  CAPTURE(stride, size, kernel);
  at::manual_seed(2);
  const at::Tensor x =
      at::randn({2, 4, size, size + 1}, at::kDouble).contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor w = at::randn({4, 1, kernel, kernel}, at::kDouble);
  const at::Tensor ours_x = x.clone().requires_grad_(), ours_w = w.clone().requires_grad_();
  const at::Tensor x_ = x.clone().requires_grad_(), w_ = w.clone().requires_grad_();
  const at::Tensor y = uir::strided_depthwise(ours_x, ours_w, stride, padding);
  const at::Tensor expected = at::conv2d(x_, w_, {}, stride, padding, 1, 4);
  REQUIRE(at::equal(y, expected));
  const at::Tensor direction = at::randn_like(expected);
  y.backward(direction);
  expected.backward(direction);
  REQUIRE(ours_x.grad().sizes() == x.sizes());
  CHECK((ours_x.grad() - x_.grad()).abs().max().item<double>() < 1e-12);
  CHECK((ours_w.grad() - w_.grad()).abs().max().item<double>() < 1e-12);
}
