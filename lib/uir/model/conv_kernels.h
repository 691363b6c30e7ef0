// What the kernels of inference's convolutions share (winograd_kernels.h, direct_kernels.h,
// depthwise_kernels.h): what is computed in the same pass before and behind them, and products of small
// matrices with AVX-512. Free of LibTorch.
//
// T: the type of activations in memory, float or Bf16. P: that of the numbers that are multiplied, T, or
// uint8_t: int8, with activations in Bf16. An input x is then the byte round(x · in_scale) + 128, saturated;
// a weight w is the int8 round(w · 127 / largest |w| of its output).
#pragma once

#include <cstdint>
#include <cstring>

#include "uir/model/lanes.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define UIR_AVX512 __attribute__((target("arch=x86-64-v4")))
#define UIR_AVX512_BF16 __attribute__((target("arch=x86-64-v4,avx512bf16")))
#define UIR_AVX512_VNNI __attribute__((target("arch=x86-64-v4,avx512vnni")))
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

// The weights of a convolution as its kernel reads them.
template <class P>
struct PackedWeights {
  const P* values = nullptr;
};
// The number that a sum of products stands for: (sum − offset) · scale.
template <>
struct PackedWeights<uint8_t> {
  const int8_t* values = nullptr;
  const int32_t* offsets = nullptr;  // [points, out]
  const float* scales = nullptr;     // [points, out]
  const float* in_scales = nullptr;  // [points]
};

// weight [out, in] → panels [out / 32, in, 32] as products read them; in and out multiples of 4 and 32.
// P: float, Bf16, or int8_t, of whole numbers.
template <class P>
void pack_panels(const float* weight, int64_t in, int64_t out, P* packed);

// Whether this processor has the kernels for products of type P.
template <class P>
bool has_conv_kernels();

namespace conv_kernels {

using Values = Lanes<float>;
using Integers = Lanes<int32_t>;
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

// The number as it is multiplied.
template <class P>
UIR_INLINE void put_input(const Values& x, float, P* to) {
  store_lanes(x, to);
}
UIR_INLINE void put_input(const Values& x, float in_scale, uint8_t* to) {
  using Bytes [[gnu::vector_size(16)]] = uint8_t;
  const Values shifted = x * in_scale + 128.5F;  // rounds where it is cut to an integer
  Integers byte = __builtin_convertvector(shifted, Integers);
  byte = byte > 0 ? byte : Integers{};
  byte = byte < 255 ? byte : Integers{} + 255;
  const Bytes bytes = __builtin_convertvector(byte, Bytes);
  std::memcpy(to, &bytes, sizeof bytes);
}
template <class P>
UIR_INLINE void put_padding(P* to) {
  const Values zero{};
  put_input(zero, 1, to);
}
template <class P>
UIR_INLINE float in_scale(const PackedWeights<P>&, int64_t) {
  return 1;
}
UIR_INLINE float in_scale(const PackedWeights<uint8_t>& weights, int64_t point) {
  return weights.in_scales[point];
}

// From sums of products of 16 outputs to numbers; k: [point, output] of the first of them.
template <class P>
class Sums {
 public:
  UIR_INLINE Sums(const PackedWeights<P>&, int64_t) {}
  UIR_INLINE void operator()(const Values& sums, Values& values) const { values = sums; }
};
template <>
class Sums<uint8_t> {
 public:
  UIR_INLINE Sums(const PackedWeights<uint8_t>& weights, int64_t k) {
    load_lanes(weights.offsets + k, offset_);
    load_lanes(weights.scales + k, scale_);
  }
  UIR_INLINE void operator()(const Integers& sums, Values& values) const {
    values = __builtin_convertvector(sums - offset_, Values) * scale_;
  }

 private:
  Integers offset_{};
  Values scale_{};
};

// A weight's place in a panel [in][kPanel]; Bf16: pairs of inputs side by side, int8: fours.
UIR_INLINE void put_weight(float value, int64_t in, int64_t out, float* panel) {
  panel[in * kPanel + out] = value;
}
UIR_INLINE void put_weight(float value, int64_t in, int64_t out, Bf16* panel) {
  panel[(in / 2 * kPanel + out) * 2 + in % 2] = rounded(value);
}
UIR_INLINE void put_weight(float value, int64_t in, int64_t out, int8_t* panel) {
  panel[(in / 4 * kPanel + out) * 4 + in % 4] = static_cast<int8_t>(value);
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
template <int64_t kCount, int64_t kStride>
UIR_AVX512_VNNI UIR_INLINE void multiply_chunk(const uint8_t* a, const int8_t* b, int64_t count,
                                               Integers (&sums)[kCount][2]) {
  for (int64_t k = 0; k < count; k += 4) {
    const __m512i b0 = _mm512_loadu_si512(b + k * kPanel), b1 = _mm512_loadu_si512(b + (k + 2) * kPanel);
#pragma GCC unroll 14
    for (int64_t r = 0; r < kCount; ++r) {
      int32_t four;
      std::memcpy(&four, a + r * kStride + k, sizeof four);
      const __m512i x = _mm512_set1_epi32(four);
      sums[r][0] = (Integers)_mm512_dpbusd_epi32((__m512i)sums[r][0], x, b0);
      sums[r][1] = (Integers)_mm512_dpbusd_epi32((__m512i)sums[r][1], x, b1);
    }
  }
}

// For one panel of outputs: calls store(row, sums of its first 16, of its second 16) for every row of a,
// whose rows lie kStride apart, and whose pieces of 64 inputs `chunk` apart.
#define UIR_MULTIPLY_PANEL(A, B, SUMS, TARGET)                                                              \
  template <int64_t kCount, int64_t kStride, class Store>                                                   \
  TARGET UIR_INLINE void multiply_rows(const A* a, const B* b, int64_t in, int64_t chunk, int64_t first,    \
                                       const Store& store) {                                                \
    SUMS sums[kCount][2] = {};                                                                              \
    for (int64_t c = 0; c < in; c += kInChunk)                                                              \
      multiply_chunk<kCount, kStride>(a + c / kInChunk * chunk + first * kStride, b + c * kPanel,           \
                                      in - c < kInChunk ? in - c : kInChunk, sums);                         \
    _Pragma("GCC unroll 14") for (int64_t r = 0; r < kCount; ++r) store(first + r, sums[r][0], sums[r][1]); \
  }                                                                                                         \
  template <int64_t kStride, class Store>                                                                   \
  TARGET UIR_INLINE void multiply_panel(const A* a, const B* b, int64_t in, int64_t chunk, int64_t rows,    \
                                        const Store& store) {                                               \
    int64_t row = 0;                                                                                        \
    for (; row + kRows <= rows; row += kRows) multiply_rows<kRows, kStride>(a, b, in, chunk, row, store);   \
    for (; row + 4 <= rows; row += 4) multiply_rows<4, kStride>(a, b, in, chunk, row, store);               \
    for (; row < rows; ++row) multiply_rows<1, kStride>(a, b, in, chunk, row, store);                       \
  }
UIR_MULTIPLY_PANEL(float, float, Values, UIR_AVX512)
UIR_MULTIPLY_PANEL(Bf16, Bf16, Values, UIR_AVX512_BF16)
UIR_MULTIPLY_PANEL(uint8_t, int8_t, Integers, UIR_AVX512_VNNI)
#undef UIR_MULTIPLY_PANEL

#endif

}  // namespace conv_kernels
}  // namespace uir
