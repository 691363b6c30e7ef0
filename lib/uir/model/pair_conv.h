// Convolution 3×3, stride 1, padding 1, whose groups hold two input and two output channels each:
// MobileFaceNet's second layer. oneDNN needs a third of a whole bf16 training step for this one layer.
//
// Shapes: x, y [B, C, H, W], C even; weight [C, 2, 3, 3] float.
// Types: x and y float or bf16; computed in float, also the weight's gradient. On other devices and for
// other types LibTorch's operator does the work.
// Cost: 18·B·H·W·C multiply-adds forward, twice that backward, near the speed of memory.
// Determinism: same result for the same number of threads.
#pragma once

#include <ATen/core/Tensor.h>

namespace uir {

// y, channels-last. Differentiable in x and weight.
at::Tensor pair_conv(const at::Tensor& x, const at::Tensor& weight);

}  // namespace uir
