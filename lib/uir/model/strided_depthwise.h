// A depthwise convolution with a stride, whose gradient in x is a convolution without one.
//
// oneDNN 3, as LibTorch 2.15 brings it, has no bf16 kernel of its own for that gradient: 27 to 33 ms for the
// layers of MobileFaceNet (batch 16, two threads), where oneDNN 2.6 takes 0.2 to 1.1 ms. The gradient in y
// with zeros between its rows and columns, convolved with the mirrored weights, is the same sum.
//
// Shapes: x [B, C, H, W] and weight [C, 1, K, K] of one type, channels-last → [B, C, H', W']. padding < K.
// Cost: that of conv2d, and in backward a tensor of x's size. Threads: LibTorch's.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace uir {

at::Tensor strided_depthwise(const at::Tensor& x, const at::Tensor& weight, int64_t stride, int64_t padding);

}  // namespace uir
