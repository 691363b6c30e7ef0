#include "uir/model/layers.h"

#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include "uir/base/error.h"
#include "uir/device/compat.h"
#include "uir/model/batch_norm.h"
#include "uir/model/pair_conv.h"
#include "uir/model/strided_depthwise.h"

namespace uir {
namespace {

// A depthwise convolution whose kernel covers the whole input: a weighted sum over pixels,
// [B, C, K, K] → [B, C, 1, 1]. The weight's gradient takes oneDNN fifty times as long.
at::Tensor global_depthwise(const at::Tensor& x, const at::Tensor& weight) {
  const int64_t channels = x.size(1);
  const at::Tensor pixels_BPC = x.permute({0, 2, 3, 1}).reshape({x.size(0), -1, channels});
  const at::Tensor weights_PC = weight.view({channels, -1}).t().contiguous();
  return (pixels_BPC * weights_PC).sum(1).view({x.size(0), channels, 1, 1});
}

// In bf16. The goldens of 1.13 are those of its own operator.
constexpr bool kSlowStridedDepthwise = UIR_TORCH_AT_LEAST(2, 0);

}  // namespace

Conv::Conv(const Op& op) : op_(op) {
  ensure(!op.bias, "convolutions have no bias");
  weight_ = register_parameter(
      "weight", at::empty({op.out_channels, op.in_channels / op.groups, op.kernel, op.kernel}));
}

at::Tensor Conv::forward(const at::Tensor& x) const {
  const bool pairs = op_.in_channels == op_.out_channels && op_.groups * 2 == op_.in_channels;
  if (pairs && op_.kernel == 3 && op_.stride == 1 && op_.padding == 1) return pair_conv(x, weight_);
  // The backward pass of oneDNN 2.6's strided 1x1 convolution writes out of bounds for channels that do not
  // fill a vector (8 in, channels-last), so the input is thinned out first: the same result.
  if (op_.thins_input()) {
    const at::Tensor thinned = x.slice(2, 0, {}, op_.stride).slice(3, 0, {}, op_.stride);
    return at::conv2d(thinned.contiguous(at::MemoryFormat::ChannelsLast), weight_.to(x.scalar_type()));
  }
  const bool depthwise = op_.groups == op_.in_channels && op_.in_channels == op_.out_channels;
  if (depthwise && op_.kernel == x.size(2) && op_.kernel == x.size(3) && op_.padding == 0) {
    return global_depthwise(x, weight_.to(x.scalar_type()));
  }
  if (depthwise && op_.stride > 1 && kSlowStridedDepthwise && x.is_cpu() &&
      x.scalar_type() == at::kBFloat16) {
    return strided_depthwise(x, weight_.to(x.scalar_type()), op_.stride, op_.padding);
  }
  return at::conv2d(x, weight_.to(x.scalar_type()), {}, op_.stride, op_.padding, 1, op_.groups);
}

PReLU::PReLU(const Op& op) {
  weight_ = register_parameter("weight", at::empty({op.in_channels}).fill_(0.25));
}

BatchNorm::BatchNorm(const Op& op) {
  const int64_t channels = op.in_channels;
  weight_ = register_parameter("weight", at::ones({channels}), op.trained);
  bias_ = register_parameter("bias", at::zeros({channels}));
  running_mean_ = register_buffer("running_mean", at::zeros({channels}));
  running_var_ = register_buffer("running_var", at::ones({channels}));
  num_batches_tracked_ = register_buffer("num_batches_tracked", at::zeros({}, at::kLong));
}

void BatchNorm::to(at::Device device, bool non_blocking) {
  torch::nn::Module::to(device, non_blocking);
  num_batches_tracked_.set_data(num_batches_tracked_.to(at::kCPU));
}

BatchNorm::Affine BatchNorm::affine() const {
  const at::Tensor scale =
      weight_.to(at::kDouble) / (running_var_.to(at::kDouble) + kBatchNormEpsilon).sqrt();
  const at::Tensor shift = bias_.to(at::kDouble) - running_mean_.to(at::kDouble) * scale;
  return {scale.to(at::kFloat), shift.to(at::kFloat)};
}

at::Tensor BatchNorm::forward(const at::Tensor& x) { return apply(x, {}, {}); }
at::Tensor BatchNorm::forward(const at::Tensor& x, const PReLU& activation) {
  return apply(x, activation.weight(), {});
}
at::Tensor BatchNorm::forward(const at::Tensor& x, const at::Tensor& residual) {
  return apply(x, {}, residual);
}

at::Tensor BatchNorm::apply(const at::Tensor& x, const at::Tensor& slope, const at::Tensor& residual) {
  return batch_norm({.x = x,
                     .weight = weight_,
                     .bias = bias_,
                     .running_mean = running_mean_,
                     .running_var = running_var_,
                     .slope = slope,
                     .residual = residual,
                     .training = is_training(),
                     .momentum = kBatchNormMomentum,
                     .epsilon = kBatchNormEpsilon,
                     .gather = gather_});
}

Linear::Linear(const Op& op) {
  weight_ = register_parameter("weight", at::empty({op.out_channels, op.in_channels}));
  if (op.bias) bias_ = register_parameter("bias", at::empty({op.out_channels}));
}

at::Tensor Linear::forward(const at::Tensor& x) const { return at::linear(x, weight_, bias_); }

}  // namespace uir
