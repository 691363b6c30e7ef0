#include "uir/model/direct_kernels.h"

#include <algorithm>

#include "uir/base/error.h"

namespace uir {
namespace {

using namespace conv_kernels;

// Where the inputs of a row under one tap lie in x; −1: in the padding.
UIR_INLINE int64_t place_of(const DirectShape& shape, int64_t row, int64_t tap) {
  const int64_t across = shape.out_width(), down = shape.out_height(), padding = shape.kernel / 2;
  const int64_t top = row / across % down * shape.stride + tap / shape.kernel - padding,
                left = row % across * shape.stride + tap % shape.kernel - padding;
  if (top < 0 || top >= shape.height || left < 0 || left >= shape.width) return -1;
  return ((row / (across * down) * shape.height + top) * shape.width + left) * shape.in;
}

// The rows' inputs as the products read them: [row_values / 64][rows][64].
template <class T, class P>
UIR_INLINE void gather_inputs(const DirectShape& shape, const EdgePointers<T>& edges, const T* x,
                              float in_scale, int64_t begin, int64_t rows, P* inputs) {
  for (int64_t tap = 0; tap < shape.kernel * shape.kernel; ++tap) {
    int64_t from[kDirectRows];
    for (int64_t row = 0; row < rows; ++row) from[row] = place_of(shape, begin + row, tap);
    for (int64_t c = 0; c < shape.in; c += kWidth) {
      const Start<T> start(edges, c);
      const int64_t at = tap * shape.in + c;
      P* to = inputs + at / kInChunk * rows * kInChunk + at % kInChunk;
      for (int64_t row = 0; row < rows; ++row, to += kInChunk) {
        Values value{};
        if (from[row] >= 0) {
          load_lanes(x + from[row] + c, value);
          start(value);
        }
        put_input(value, in_scale, to);
      }
    }
  }
}

#if UIR_HAS_AVX512

#define UIR_DIRECT_PANELS(T, P, TARGET)                                                                    \
  template <int64_t kStride>                                                                               \
  TARGET void multiply(const DirectShape& shape, const EdgePointers<T>& edges, const P* a, int64_t chunk,  \
                       const PackedWeights<P>& weights, int64_t begin, int64_t rows, T* y) {               \
    const int64_t in = shape.row_values();                                                                 \
    for (int64_t k = 0; k < shape.out; k += kPanel) {                                                      \
      const Sums<P> low(weights, k), high(weights, k + kWidth);                                            \
      const Finish<T> first(edges, k), second(edges, k + kWidth);                                          \
      multiply_panel<kStride>(a, weights.values + k * in, in, chunk, rows,                                 \
                              [&](int64_t row, const auto& l, const auto& h) UIR_INLINE_LAMBDA {           \
                                const int64_t at = (begin + row) * shape.out + k;                          \
                                Values values;                                                             \
                                low(l, values);                                                            \
                                first(values, at);                                                         \
                                store_lanes(values, y + at);                                               \
                                high(h, values);                                                           \
                                second(values, at + kWidth);                                               \
                                store_lanes(values, y + at + kWidth);                                      \
                              });                                                                          \
    }                                                                                                      \
  }                                                                                                        \
  TARGET void gather_and_multiply(const DirectShape& shape, const EdgePointers<T>& edges, const T* x,      \
                                  const PackedWeights<P>& weights, int64_t begin, int64_t rows, P* inputs, \
                                  T* y) {                                                                  \
    gather_inputs(shape, edges, x, in_scale(weights, 0), begin, rows, inputs);                             \
    multiply<kInChunk>(shape, edges, inputs, rows * kInChunk, weights, begin, rows, y);                    \
  }
UIR_DIRECT_PANELS(float, float, UIR_AVX512)
UIR_DIRECT_PANELS(Bf16, Bf16, UIR_AVX512_BF16)
UIR_DIRECT_PANELS(Bf16, uint8_t, UIR_AVX512_VNNI)
#undef UIR_DIRECT_PANELS

// Rows of the commonest lengths are read where they are, unless something stands before the convolution.
template <class T>
void run_rows(const DirectShape& shape, const EdgePointers<T>& edges, const T* x,
              const PackedWeights<T>& weights, int64_t begin, int64_t end, T* inputs, T* y) {
  const int64_t rows = end - begin;
  const T* const from = x + begin * shape.in;
  switch (edges.in_scale || !shape.rows_of_x() ? 0 : shape.in) {
    case 64:
      return multiply<64>(shape, edges, from, kInChunk, weights, begin, rows, y);
    case 128:
      return multiply<128>(shape, edges, from, kInChunk, weights, begin, rows, y);
    case 256:
      return multiply<256>(shape, edges, from, kInChunk, weights, begin, rows, y);
    case 512:
      return multiply<512>(shape, edges, from, kInChunk, weights, begin, rows, y);
    default:
      return gather_and_multiply(shape, edges, x, weights, begin, rows, inputs, y);
  }
}
void run_rows(const DirectShape& shape, const EdgePointers<Bf16>& edges, const Bf16* x,
              const PackedWeights<uint8_t>& weights, int64_t begin, int64_t end, uint8_t* inputs, Bf16* y) {
  gather_and_multiply(shape, edges, x, weights, begin, end - begin, inputs, y);
}

#endif

}  // namespace

void order_weights(const float* weight, const DirectShape& shape, float* ordered) {
  const int64_t taps = shape.kernel * shape.kernel;
  for (int64_t at = 0; at < shape.out * shape.in; ++at) {
    const int64_t k = at / shape.in, c = at % shape.in;
    for (int64_t tap = 0; tap < taps; ++tap)
      ordered[(k * taps + tap) * shape.in + c] = weight[at * taps + tap];
  }
}

#if UIR_HAS_AVX512
#define UIR_DIRECT(T, P)                                                                           \
  void direct_rows(const DirectShape& shape, const EdgePointers<T>& edges, const T* x,             \
                   const PackedWeights<P>& weights, int64_t begin, int64_t end, P* inputs, T* y) { \
    run_rows(shape, edges, x, weights, begin, end, inputs, y);                                     \
  }
#else
#define UIR_DIRECT(T, P)                                                                                   \
  void direct_rows(const DirectShape&, const EdgePointers<T>&, const T*, const PackedWeights<P>&, int64_t, \
                   int64_t, P*, T*) {                                                                      \
    fail(ErrorKind::kInternal, "this processor has no such kernels");                                      \
  }
#endif
UIR_DIRECT(float, float)
UIR_DIRECT(Bf16, Bf16)
UIR_DIRECT(Bf16, uint8_t)
#undef UIR_DIRECT

}  // namespace uir
