#include "uir/model/layers.h"

#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include "uir/model/batch_norm.h"
#include "uir/model/pair_conv.h"

namespace uir {
namespace {

// A depthwise convolution whose kernel covers the whole input: a weighted sum over pixels, [B, C, K, K] → [B, C, 1, 1].
// The weight's gradient takes oneDNN fifty times as long.
at::Tensor global_depthwise(const at::Tensor& x, const at::Tensor& weight) {
  const int64_t channels = x.size(1);
  const at::Tensor pixels_BPC = x.permute({0, 2, 3, 1}).reshape({x.size(0), -1, channels});
  const at::Tensor weights_PC = weight.view({channels, -1}).t().contiguous();
  return (pixels_BPC * weights_PC).sum(1).view({x.size(0), channels, 1, 1});
}

}  // namespace

Conv::Conv(const ConvShape& shape) : shape_(shape) {
  weight_ = register_parameter("weight",
                               at::empty({shape.out, shape.in / shape.groups, shape.kernel, shape.kernel}));
}

at::Tensor Conv::forward(const at::Tensor& x) const {
  const bool pairs = shape_.in == shape_.out && shape_.groups * 2 == shape_.in;
  if (pairs && shape_.kernel == 3 && shape_.stride == 1 && shape_.padding == 1) return pair_conv(x, weight_);
  // The backward pass of oneDNN 2.6's strided 1x1 convolution writes out of bounds for channels that do not fill a
  // vector (8 in, channels-last), so the input is thinned out first: the same result.
  if (shape_.kernel == 1 && shape_.stride > 1 && shape_.in % 16 != 0) {
    const at::Tensor thinned = x.slice(2, 0, {}, shape_.stride).slice(3, 0, {}, shape_.stride);
    return at::conv2d(thinned.contiguous(at::MemoryFormat::ChannelsLast), weight_.to(x.scalar_type()));
  }
  const bool depthwise = shape_.groups == shape_.in && shape_.in == shape_.out;
  if (depthwise && shape_.kernel == x.size(2) && shape_.kernel == x.size(3) && shape_.padding == 0) {
    return global_depthwise(x, weight_.to(x.scalar_type()));
  }
  return at::conv2d(x, weight_.to(x.scalar_type()), {}, shape_.stride, shape_.padding, 1, shape_.groups);
}

PReLU::PReLU(int64_t channels) { weight_ = register_parameter("weight", at::empty({channels}).fill_(0.25)); }

BatchNorm::BatchNorm(int64_t channels, bool trainable_weight) {
  weight_ = register_parameter("weight", at::ones({channels}), trainable_weight);
  bias_ = register_parameter("bias", at::zeros({channels}));
  running_mean_ = register_buffer("running_mean", at::zeros({channels}));
  running_var_ = register_buffer("running_var", at::ones({channels}));
  num_batches_tracked_ = register_buffer("num_batches_tracked", at::zeros({}, at::kLong));
}

at::Tensor BatchNorm::forward(const at::Tensor& x) { return apply(x, {}, {}); }
at::Tensor BatchNorm::forward(const at::Tensor& x, const PReLU& activation) {
  return apply(x, activation.weight(), {});
}
at::Tensor BatchNorm::forward(const at::Tensor& x, const at::Tensor& residual) {
  return apply(x, {}, residual);
}

at::Tensor BatchNorm::apply(const at::Tensor& x, const at::Tensor& slope, const at::Tensor& residual) {
  if (is_training()) num_batches_tracked_.add_(1);
  return batch_norm({.x = x,
                     .weight = weight_,
                     .bias = bias_,
                     .running_mean = running_mean_,
                     .running_var = running_var_,
                     .slope = slope,
                     .residual = residual,
                     .training = is_training(),
                     .momentum = kMomentum,
                     .epsilon = kEpsilon,
                     .gather = gather_});
}

Linear::Linear(int64_t in, int64_t out, bool bias) {
  weight_ = register_parameter("weight", at::empty({out, in}));
  if (bias) bias_ = register_parameter("bias", at::empty({out}));
}

at::Tensor Linear::forward(const at::Tensor& x) const { return at::linear(x, weight_, bias_); }

}  // namespace uir
