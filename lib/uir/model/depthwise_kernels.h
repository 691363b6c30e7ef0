// Depthwise convolutions 3×3 with padding 1 and stride 1 or 2: the kernels behind inference_conv.h. Free of
// LibTorch.
//
// x [images, height, width, channels] → y [images, (height − 1) / stride + 1, …], channels a multiple of 16.
// Computed in float. Cost: near the speed of memory.
#pragma once

#include <cstdint>

#include "uir/model/conv_kernels.h"

namespace uir {

struct DepthwiseShape {
  int64_t images = 0, height = 0, width = 0, channels = 0, stride = 1;
  int64_t out_height() const { return (height - 1) / stride + 1; }
  int64_t out_width() const { return (width - 1) / stride + 1; }
};

// Output rows [begin, end) of all images' rows. weight [9, channels].
void depthwise_rows(const DepthwiseShape& shape, const EdgePointers<float>& edges, const float* x,
                    const float* weight, int64_t begin, int64_t end, float* y);
void depthwise_rows(const DepthwiseShape& shape, const EdgePointers<Bf16>& edges, const Bf16* x,
                    const float* weight, int64_t begin, int64_t end, Bf16* y);

}  // namespace uir
