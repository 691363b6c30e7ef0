#include "uir/model/winograd_kernels.h"

#include <algorithm>
#include <array>

#include "uir/base/error.h"

namespace uir {
namespace {

using namespace conv_kernels;

// The transforms along one side of a tile, whose values lie `s` apart; that of the input may be in place.
template <int64_t kOut>
struct Transform;

template <>
struct Transform<4> {
  UIR_INLINE static void input(const Values* d, int64_t s, Values* t) {
    const Values even = d[4 * s] - 4 * d[2 * s], odd = d[3 * s] - 4 * d[s];
    const Values even2 = d[4 * s] - d[2 * s], odd2 = 2 * (d[3 * s] - d[s]);
    const Values last = 4 * d[s] - 5 * d[3 * s] + d[5 * s];
    t[0] = 4 * d[0] - 5 * d[2 * s] + d[4 * s];
    t[s] = even + odd;
    t[2 * s] = even - odd;
    t[3 * s] = even2 + odd2;
    t[4 * s] = even2 - odd2;
    t[5 * s] = last;
  }
  UIR_INLINE static void output(const Values* m, int64_t s, Values* y, int64_t ys) {
    const Values sum = m[s] + m[2 * s], difference = m[s] - m[2 * s];
    const Values sum2 = m[3 * s] + m[4 * s], difference2 = m[3 * s] - m[4 * s];
    y[0] = m[0] + sum + sum2;
    y[ys] = difference + 2 * difference2;
    y[2 * ys] = sum + 4 * sum2;
    y[3 * ys] = difference + 8 * difference2 + m[5 * s];
  }
  static constexpr double kWeights[6][3] = {{1. / 4, 0, 0},
                                            {-1. / 6, -1. / 6, -1. / 6},
                                            {-1. / 6, 1. / 6, -1. / 6},
                                            {1. / 24, 1. / 12, 1. / 6},
                                            {1. / 24, -1. / 12, 1. / 6},
                                            {0, 0, 1}};
};

template <>
struct Transform<2> {
  UIR_INLINE static void input(const Values* d, int64_t s, Values* t) {
    const Values first = d[0] - d[2 * s], sum = d[s] + d[2 * s], difference = d[2 * s] - d[s],
                 last = d[s] - d[3 * s];
    t[0] = first;
    t[s] = sum;
    t[2 * s] = difference;
    t[3 * s] = last;
  }
  UIR_INLINE static void output(const Values* m, int64_t s, Values* y, int64_t ys) {
    y[0] = m[0] + m[s] + m[2 * s];
    y[ys] = m[s] - m[2 * s] - m[3 * s];
  }
  static constexpr double kWeights[4][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};
};

// Where a tile lies.
struct Place {
  int64_t image = 0, top = 0, left = 0;
};

template <int64_t kOut>
UIR_INLINE Place place_of(const WinogradShape& shape, int64_t tile) {
  const int64_t across = (shape.width + kOut - 1) / kOut, down = (shape.height + kOut - 1) / kOut;
  return {tile / (across * down), tile / across % down * kOut, tile % across * kOut};
}

// One tile's input → inputs[point][in / 64][tile of the group][64].
template <class T, class P>
UIR_INLINE void transform_input(const WinogradShape& shape, const EdgePointers<T>& edges, const T* x,
                                const PackedWeights<P>& weights, int64_t tile, int64_t slot, int64_t slots,
                                P* inputs) {
  constexpr int64_t kIn = Winograd<P>::kIn;
  const Place at = place_of<Winograd<P>::kOut>(shape, tile);
  const int64_t chunks = shape.in / kInChunk;
  for (int64_t c = 0; c < shape.in; c += kWidth) {
    Values d[kIn * kIn];
    const Start<T> start(edges, c);
    for (int64_t i = 0; i < kIn; ++i) {
      const int64_t row = at.top + i - 1;
      for (int64_t j = 0; j < kIn; ++j) {
        const int64_t column = at.left + j - 1;
        const bool inside = row >= 0 && row < shape.height && column >= 0 && column < shape.width;
        if (inside) {
          load_lanes(x + ((at.image * shape.height + row) * shape.width + column) * shape.in + c,
                     d[i * kIn + j]);
          start(d[i * kIn + j]);
        } else {
          d[i * kIn + j] = Values{};
        }
      }
    }
#pragma GCC unroll 6
    for (int64_t i = 0; i < kIn; ++i) Transform<Winograd<P>::kOut>::input(d + i * kIn, 1, d + i * kIn);
#pragma GCC unroll 6
    for (int64_t j = 0; j < kIn; ++j) Transform<Winograd<P>::kOut>::input(d + j, kIn, d + j);
    P* to = inputs + (c / kInChunk * slots + slot) * kInChunk + c % kInChunk;
    for (int64_t p = 0; p < kIn * kIn; ++p)
      put_input(d[p], in_scale(weights, p), to + p * chunks * slots * kInChunk);
  }
}

// products[point][tile of the group][out] → one tile of y.
template <class P, class T>
UIR_INLINE void transform_output(const WinogradShape& shape, const EdgePointers<T>& edges,
                                 const float* products, int64_t tile, int64_t slot, int64_t slots, T* y) {
  constexpr int64_t kIn = Winograd<P>::kIn, kOut = Winograd<P>::kOut;
  const Place at = place_of<kOut>(shape, tile);
  const int64_t rows = std::min(kOut, shape.height - at.top), columns = std::min(kOut, shape.width - at.left);
  for (int64_t k = 0; k < shape.out; k += kWidth) {
    Values m[kIn * kIn], half[kOut * kIn], out[kOut * kOut];
    for (int64_t p = 0; p < kIn * kIn; ++p) load_lanes(products + (p * slots + slot) * shape.out + k, m[p]);
#pragma GCC unroll 6
    for (int64_t j = 0; j < kIn; ++j) Transform<kOut>::output(m + j, kIn, half + j, kIn);
#pragma GCC unroll 4
    for (int64_t i = 0; i < kOut; ++i) Transform<kOut>::output(half + i * kIn, 1, out + i * kOut, 1);
    const int64_t first = ((at.image * shape.height + at.top) * shape.width + at.left) * shape.out + k;
    const Finish<T> finish(edges, k);
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t j = 0; j < columns; ++j) {
        const int64_t to = first + (i * shape.width + j) * shape.out;
        finish(out[i * kOut + j], to);
        store_lanes(out[i * kOut + j], y + to);
      }
    }
  }
}

#if UIR_HAS_AVX512

// The kinds of numbers need different instructions, which a template cannot say.
#define UIR_WINOGRAD_TILES(T, P, TARGET)                                                                    \
  TARGET void multiply_point(const WinogradShape& shape, const P* inputs, const PackedWeights<P>& weights,  \
                             int64_t point, int64_t slots, float* products) {                               \
    for (int64_t k = 0; k < shape.out; k += kPanel) {                                                       \
      const int64_t at = point * shape.out + k;                                                             \
      const Sums<P> low(weights, at), high(weights, at + kWidth);                                           \
      multiply_panel<kInChunk>(inputs, weights.values + at * shape.in, shape.in, slots * kInChunk, slots,   \
                               [&](int64_t slot, const auto& first, const auto& second) UIR_INLINE_LAMBDA { \
                                 Values values;                                                             \
                                 low(first, values);                                                        \
                                 store_lanes(values, products + slot * shape.out + k);                      \
                                 high(second, values);                                                      \
                                 store_lanes(values, products + slot * shape.out + k + kWidth);             \
                               });                                                                          \
    }                                                                                                       \
  }                                                                                                         \
  TARGET void run_tiles(const WinogradShape& shape, const EdgePointers<T>& edges, const T* x,               \
                        const PackedWeights<P>& weights, int64_t begin, int64_t end, P* inputs,             \
                        float* products, T* y) {                                                            \
    const int64_t slots = end - begin;                                                                      \
    for (int64_t tile = begin; tile < end; ++tile)                                                          \
      transform_input(shape, edges, x, weights, tile, tile - begin, slots, inputs);                         \
    for (int64_t p = 0; p < Winograd<P>::kPoints; ++p)                                                      \
      multiply_point(shape, inputs + p * slots * shape.in, weights, p, slots,                               \
                     products + p * slots * shape.out);                                                     \
    for (int64_t tile = begin; tile < end; ++tile)                                                          \
      transform_output<P>(shape, edges, products, tile, tile - begin, slots, y);                            \
  }
UIR_WINOGRAD_TILES(float, float, UIR_AVX512)
UIR_WINOGRAD_TILES(Bf16, Bf16, UIR_AVX512_BF16)
UIR_WINOGRAD_TILES(Bf16, uint8_t, UIR_AVX512_VNNI)
#undef UIR_WINOGRAD_TILES

#endif

}  // namespace

template <class P>
void transform_weights(const float* weight, int64_t in, int64_t out, float* transformed) {
  constexpr int64_t kIn = Winograd<P>::kIn;
  const auto& g = Transform<Winograd<P>::kOut>::kWeights;
  for (int64_t at = 0; at < out * in; ++at) {
    const float* w = weight + at * 9;
    double half[kIn][3] = {};
    for (int64_t i = 0; i < kIn; ++i)
      for (int64_t j = 0; j < 3; ++j)
        for (int64_t tap = 0; tap < 3; ++tap) half[i][j] += g[i][tap] * w[tap * 3 + j];
    for (int64_t p = 0; p < kIn * kIn; ++p) {
      double value = 0;
      for (int64_t tap = 0; tap < 3; ++tap) value += half[p / kIn][tap] * g[p % kIn][tap];
      transformed[p * out * in + at] = static_cast<float>(value);
    }
  }
}
template void transform_weights<float>(const float*, int64_t, int64_t, float*);
template void transform_weights<Bf16>(const float*, int64_t, int64_t, float*);
template void transform_weights<uint8_t>(const float*, int64_t, int64_t, float*);

#if UIR_HAS_AVX512
#define UIR_WINOGRAD(T, P)                                                                    \
  void winograd_tiles(const WinogradShape& shape, const EdgePointers<T>& edges, const T* x,   \
                      const PackedWeights<P>& weights, int64_t begin, int64_t end, P* inputs, \
                      float* products, T* y) {                                                \
    run_tiles(shape, edges, x, weights, begin, end, inputs, products, y);                     \
  }
#else
#define UIR_WINOGRAD(T, P)                                                                             \
  void winograd_tiles(const WinogradShape&, const EdgePointers<T>&, const T*, const PackedWeights<P>&, \
                      int64_t, int64_t, P*, float*, T*) {                                              \
    fail(ErrorKind::kInternal, "this processor has no such kernels");                                  \
  }
#endif
UIR_WINOGRAD(float, float)
UIR_WINOGRAD(Bf16, Bf16)
UIR_WINOGRAD(Bf16, uint8_t)
#undef UIR_WINOGRAD

}  // namespace uir
