// Convolutions 3×3, stride 1, padding 1, with fewer multiplications: the kernels behind inference_conv.h.
// Free of LibTorch; AVX-512 only.
//
// An output tile of m×m pixels needs (m + 2)² products per pair of channels in place of 9·m²: the tile's
// input is transformed, multiplied with the transformed weights as (m + 2)² products of matrices, and
// transformed back. float: m = 4, 4 times fewer; bfloat16 and int8: m = 2, 2.25 times fewer, since the
// larger tile's transform would lose ten times what rounding to bfloat16 loses. Sums of bfloat16 products are
// float, those of int8 exact; what is rounded to int8 are transformed inputs, with a range for each of the 16
// products, and transformed weights.
// Source: A. Lavin, S. Gray, Fast Algorithms for Convolutional Neural Networks (CVPR 2016), section 4.
#pragma once

#include <cstdint>

#include "uir/model/conv_kernels.h"

namespace uir {

struct WinogradShape {
  int64_t images = 0, height = 0, width = 0;
  int64_t in = 0, out = 0;  // channels: multiples of 64 and 32
};

// What the kernels want for products of type P.
template <class P>
struct Winograd {
  static constexpr int64_t kOut = sizeof(P) == 4 ? 4 : 2;  // side of an output tile
  static constexpr int64_t kIn = kOut + 2;
  static constexpr int64_t kPoints = kIn * kIn;  // products of matrices
  // Tiles that are transformed, multiplied and transformed back together: as many as stay in the caches.
  static constexpr int64_t kGroup = 112;

  static int64_t tiles(const WinogradShape& shape) {
    return shape.images * ((shape.height + kOut - 1) / kOut) * ((shape.width + kOut - 1) / kOut);
  }
  // Of one group: transformed inputs and products.
  static int64_t input_values(const WinogradShape& shape) { return kPoints * kGroup * shape.in; }
  static int64_t product_values(const WinogradShape& shape) { return kPoints * kGroup * shape.out; }
};

// weight [out, in, 3, 3] → transformed [kPoints, out, in].
template <class P>
void transform_weights(const float* weight, int64_t in, int64_t out, float* transformed);

// Tiles [begin, end), at most kGroup of them, of x [images, height, width, in] → y [images, height, width,
// out]. weights.values: for each point packed as pack_panels does it. inputs and products: memory of this
// call, input_values() and product_values(), 64 bytes aligned.
void winograd_tiles(const WinogradShape& shape, const EdgePointers<float>& edges, const float* x,
                    const PackedWeights<float>& weights, int64_t begin, int64_t end, float* inputs,
                    float* products, float* y);
void winograd_tiles(const WinogradShape& shape, const EdgePointers<Bf16>& edges, const Bf16* x,
                    const PackedWeights<Bf16>& weights, int64_t begin, int64_t end, Bf16* inputs,
                    float* products, Bf16* y);
void winograd_tiles(const WinogradShape& shape, const EdgePointers<Bf16>& edges, const Bf16* x,
                    const PackedWeights<uint8_t>& weights, int64_t begin, int64_t end, uint8_t* inputs,
                    float* products, Bf16* y);

}  // namespace uir
