// Convolutions 1×1 with stride 1: the kernels behind inference_conv.h. Free of LibTorch; AVX-512 only.
//
// x [rows, in] → y [rows, out], rows being the pixels of all images; in and out multiples of 32. The products
// of 14 rows with 32 outputs stay in registers until they are finished, so y is written once.
#pragma once

#include <cstdint>

#include "uir/model/conv_kernels.h"

namespace uir {

struct PointwiseShape {
  int64_t in = 0, out = 0;
};

inline constexpr int64_t kPointwiseRows = 112;  // at most so many in one call

// weight [out, in] → packed [out / 32, in, 32]; Bf16: pairs of inputs side by side.
template <class T>
void pack_pointwise(const float* weight, const PointwiseShape& shape, T* packed);

// Values that a call needs beside its results.
inline int64_t pointwise_values(const PointwiseShape& shape) {
  return kPointwiseRows * ((shape.in + 63) / 64 * 64);
}

// Rows [begin, end), at most kPointwiseRows. inputs: memory of this call.
void pointwise_rows(const PointwiseShape& shape, const EdgePointers<float>& edges, const float* x,
                    const float* packed, int64_t begin, int64_t end, float* inputs, float* y);
void pointwise_rows(const PointwiseShape& shape, const EdgePointers<Bf16>& edges, const Bf16* x,
                    const Bf16* packed, int64_t begin, int64_t end, Bf16* inputs, Bf16* y);

}  // namespace uir
