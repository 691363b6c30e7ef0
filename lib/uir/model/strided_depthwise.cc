#include "uir/model/strided_depthwise.h"

#include <ATen/ops/conv2d.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/flip.h>
#include <torch/csrc/autograd/custom_function.h>

#include <array>
#include <tuple>

namespace uir {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

at::Tensor gradient_in_x(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight, int64_t stride,
                         int64_t padding) {
  const int64_t border = weight.size(2) - 1 - padding;  // of the convolution back
  const auto spread_size = [&](int64_t size) { return size + weight.size(2) - 1 - 2 * border; };
  const at::Tensor spread = at::empty({x.size(0), x.size(1), spread_size(x.size(2)), spread_size(x.size(3))},
                                      dy.options(), at::MemoryFormat::ChannelsLast)
                                .zero_();
  spread.slice(2, 0, (dy.size(2) - 1) * stride + 1, stride)
      .slice(3, 0, (dy.size(3) - 1) * stride + 1, stride)
      .copy_(dy);
  return at::conv2d(spread, weight.flip({2, 3}), {}, 1, border, 1, x.size(1));
}

class StridedDepthwise : public torch::autograd::Function<StridedDepthwise> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            int64_t stride, int64_t padding) {
    context->save_for_backward({x, weight});
    context->saved_data["stride"] = stride;
    context->saved_data["padding"] = padding;
    return at::conv2d(x, weight, {}, stride, padding, 1, x.size(1));
  }

  static tensor_list backward(AutogradContext* context, tensor_list gradients) {
    const tensor_list saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &dy = gradients[0];
    const int64_t stride = context->saved_data["stride"].toInt(),
                  padding = context->saved_data["padding"].toInt();
    const std::array<int64_t, 2> strides{stride, stride}, paddings{padding, padding}, ones{1, 1}, zeros{0, 0};
    const at::Tensor dw = std::get<1>(at::convolution_backward(
        dy, x, weight, c10::nullopt, at::IntArrayRef(strides), at::IntArrayRef(paddings),
        at::IntArrayRef(ones), false, at::IntArrayRef(zeros), x.size(1), {false, true, false}));
    return {gradient_in_x(dy, x, weight, stride, padding), dw, at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor strided_depthwise(const at::Tensor& x, const at::Tensor& weight, int64_t stride, int64_t padding) {
  return StridedDepthwise::apply(x, weight, stride, padding);
}

}  // namespace uir
