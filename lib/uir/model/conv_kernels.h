// What the kernels of inference's convolutions share (winograd_kernels.h, pointwise_kernels.h,
// depthwise_kernels.h): what is computed in the same pass before and behind them, and products of small
// matrices with AVX-512. Free of LibTorch.
#pragma once

#include <cstdint>
#include <cstring>

#include "uir/model/lanes.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define UIR_AVX512 __attribute__((target("arch=x86-64-v4")))
#define UIR_AVX512_BF16 __attribute__((target("arch=x86-64-v4,avx512bf16")))
#define UIR_HAS_AVX512 1
#else
#define UIR_HAS_AVX512 0
#endif

namespace uir {

// Per channel; null: nothing.
//   x' = x · in_scale + in_shift (padding around it stays zero)
//   y  = prelu(conv(x') · scale + shift, slope) + residual
// scale and shift come together, residual has y's shape and type.
template <class T>
struct EdgePointers {
  const float *in_scale = nullptr, *in_shift = nullptr;
  const float *scale = nullptr, *shift = nullptr, *slope = nullptr;
  const T* residual = nullptr;
};

// Whether this processor has the kernels for numbers of type T, float or Bf16.
template <class T>
bool has_conv_kernels();

namespace conv_kernels {

using Values = Lanes<float>;
inline constexpr int64_t kWidth = 16;    // channels in a register
inline constexpr int64_t kInChunk = 64;  // inputs of a row that lie side by side
inline constexpr int64_t kPanel = 32;    // outputs that are computed together
inline constexpr int64_t kRows = 14;     // rows that are, so that the sums fill the registers

// What stands before the convolution, for 16 channels.
template <class T>
class Start {
 public:
  UIR_INLINE Start(const EdgePointers<T>& edges, int64_t c) : some_(edges.in_scale != nullptr) {
    if (!some_) return;
    load_lanes(edges.in_scale + c, scale_);
    load_lanes(edges.in_shift + c, shift_);
  }
  UIR_INLINE void operator()(Values& x) const {
    if (some_) x = x * scale_ + shift_;
  }

 private:
  bool some_;
  Values scale_{}, shift_{};
};

// What stands behind it; `at`: where the 16 values lie in y.
template <class T>
class Finish {
 public:
  UIR_INLINE Finish(const EdgePointers<T>& edges, int64_t k) : edges_(edges) {
    if (edges.scale) {
      load_lanes(edges.scale + k, scale_);
      load_lanes(edges.shift + k, shift_);
    }
    if (edges.slope) load_lanes(edges.slope + k, slope_);
  }
  UIR_INLINE void operator()(Values& y, int64_t at) const {
    if (edges_.scale) y = y * scale_ + shift_;
    if (edges_.slope) y = y > 0 ? y : y * slope_;
    if (edges_.residual) {
      Values more;
      load_lanes(edges_.residual + at, more);
      y += more;
    }
  }

 private:
  const EdgePointers<T>& edges_;
  Values scale_{}, shift_{}, slope_{};
};

UIR_INLINE Bf16 rounded(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  return {static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16)};
}

// A weight's place in a panel [in][kPanel]; Bf16: pairs of inputs side by side.
UIR_INLINE void put_weight(float value, int64_t in, int64_t out, float* panel) {
  panel[in * kPanel + out] = value;
}
UIR_INLINE void put_weight(float value, int64_t in, int64_t out, Bf16* panel) {
  panel[(in / 2 * kPanel + out) * 2 + in % 2] = rounded(value);
}

#if UIR_HAS_AVX512

// sums[row][32 outputs] += a[row][64] · b[64][32], of which the first `count` inputs; rows lie kStride apart.
template <int64_t kCount, int64_t kStride>
UIR_INLINE void multiply_chunk(const float* a, const float* b, int64_t count, Values (&sums)[kCount][2]) {
  for (int64_t k = 0; k < count; ++k) {
    Values b0, b1;
    load_lanes(b + k * kPanel, b0);
    load_lanes(b + k * kPanel + kWidth, b1);
#pragma GCC unroll 14
    for (int64_t r = 0; r < kCount; ++r) {
      const Values x = Values{} + a[r * kStride + k];
      sums[r][0] += x * b0;
      sums[r][1] += x * b1;
    }
  }
}
template <int64_t kCount, int64_t kStride>
UIR_AVX512_BF16 UIR_INLINE void multiply_chunk(const Bf16* a, const Bf16* b, int64_t count,
                                               Values (&sums)[kCount][2]) {
  for (int64_t k = 0; k < count; k += 2) {
    const auto b0 = (__m512bh)_mm512_loadu_si512(b + k * kPanel);
    const auto b1 = (__m512bh)_mm512_loadu_si512(b + k * kPanel + 2 * kWidth);
#pragma GCC unroll 14
    for (int64_t r = 0; r < kCount; ++r) {
      int32_t pair;
      std::memcpy(&pair, a + r * kStride + k, sizeof pair);
      const auto x = (__m512bh)_mm512_set1_epi32(pair);
      sums[r][0] = (Values)_mm512_dpbf16_ps((__m512)sums[r][0], x, b0);
      sums[r][1] = (Values)_mm512_dpbf16_ps((__m512)sums[r][1], x, b1);
    }
  }
}

// For one panel of outputs: calls store(row, sums of its first 16, of its second 16) for every row of a, whose
// rows lie kStride apart, and whose pieces of 64 inputs `chunk` apart.
#define UIR_MULTIPLY_PANEL(T, TARGET)                                                                       \
  template <int64_t kCount, int64_t kStride, class Store>                                                   \
  TARGET UIR_INLINE void multiply_rows(const T* a, const T* b, int64_t in, int64_t chunk, int64_t first,    \
                                       const Store& store) {                                                \
    Values sums[kCount][2] = {};                                                                            \
    for (int64_t c = 0; c < in; c += kInChunk)                                                              \
      multiply_chunk<kCount, kStride>(a + c / kInChunk * chunk + first * kStride, b + c * kPanel,           \
                                      in - c < kInChunk ? in - c : kInChunk, sums);                         \
    _Pragma("GCC unroll 14") for (int64_t r = 0; r < kCount; ++r) store(first + r, sums[r][0], sums[r][1]); \
  }                                                                                                         \
  template <int64_t kStride, class Store>                                                                   \
  TARGET UIR_INLINE void multiply_panel(const T* a, const T* b, int64_t in, int64_t chunk, int64_t rows,    \
                                        const Store& store) {                                               \
    int64_t row = 0;                                                                                        \
    for (; row + kRows <= rows; row += kRows) multiply_rows<kRows, kStride>(a, b, in, chunk, row, store);   \
    for (; row + 4 <= rows; row += 4) multiply_rows<4, kStride>(a, b, in, chunk, row, store);               \
    for (; row < rows; ++row) multiply_rows<1, kStride>(a, b, in, chunk, row, store);                       \
  }
UIR_MULTIPLY_PANEL(float, UIR_AVX512)
UIR_MULTIPLY_PANEL(Bf16, UIR_AVX512_BF16)
#undef UIR_MULTIPLY_PANEL

#endif

}  // namespace conv_kernels
}  // namespace uir
