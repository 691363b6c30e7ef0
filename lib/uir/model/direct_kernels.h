// Convolutions as products of matrices, whose rows are the inputs of an output pixel: the kernels behind
// inference_conv.h for 1×1 and for strides. Free of LibTorch; AVX-512 only.
//
// x [images, height, width, in] → y [images, out_height, out_width, out]; in and out multiples of 32. The
// products of 14 pixels with 32 outputs stay in registers until they are finished, so y is written once.
#pragma once

#include <cstdint>

#include "uir/model/conv_kernels.h"

namespace uir {

struct DirectShape {
  int64_t images = 0, height = 0, width = 0;
  int64_t in = 0, out = 0;
  int64_t kernel = 1, stride = 1;  // padding: kernel / 2

  int64_t out_height() const { return (height - 1) / stride + 1; }
  int64_t out_width() const { return (width - 1) / stride + 1; }
  int64_t rows() const { return images * out_height() * out_width(); }
  int64_t row_values() const { return kernel * kernel * in; }
  // Whether rows are the pixels of x as they lie there.
  bool rows_of_x() const { return kernel == 1 && stride == 1; }
};

inline constexpr int64_t kDirectRows = 112;  // at most so many in one call

// Values that a call needs beside its results.
inline int64_t direct_values(const DirectShape& shape) {
  return kDirectRows * ((shape.row_values() + 63) / 64 * 64);
}

// weight [out, in, kernel, kernel] → [out, kernel · kernel · in], as rows have it.
void order_weights(const float* weight, const DirectShape& shape, float* ordered);

// Rows [begin, end), at most kDirectRows. weights.values: the ordered ones packed by pack_panels. inputs:
// memory of this call.
void direct_rows(const DirectShape& shape, const EdgePointers<float>& edges, const float* x,
                 const PackedWeights<float>& weights, int64_t begin, int64_t end, float* inputs, float* y);
void direct_rows(const DirectShape& shape, const EdgePointers<Bf16>& edges, const Bf16* x,
                 const PackedWeights<Bf16>& weights, int64_t begin, int64_t end, Bf16* inputs, Bf16* y);
void direct_rows(const DirectShape& shape, const EdgePointers<Bf16>& edges, const Bf16* x,
                 const PackedWeights<uint8_t>& weights, int64_t begin, int64_t end, uint8_t* inputs, Bf16* y);

}  // namespace uir
