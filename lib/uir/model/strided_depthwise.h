// A depthwise convolution with a stride, whose gradient in x is a convolution without one.
//
// oneDNN 3 (LibTorch 2) has no bf16 kernel of its own for that gradient, and takes 30 times as long as oneDNN 2.6:
// 0.4 of a whole training step of MobileFaceNet. The gradient in y with zeros between its rows and columns,
// convolved with the mirrored weights, is the same sum.
//
// Shapes: x [B, C, H, W] and weight [C, 1, K, K] of one type, channels-last → [B, C, H', W']. padding < K.
// Cost: that of conv2d, and in backward a tensor of x's size. Threads: LibTorch's.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace uir {

at::Tensor strided_depthwise(const at::Tensor& x, const at::Tensor& weight, int64_t stride, int64_t padding);

}  // namespace uir
