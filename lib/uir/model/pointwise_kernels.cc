#include "uir/model/pointwise_kernels.h"

#include <algorithm>

#include "uir/base/error.h"

namespace uir {
namespace {

using namespace conv_kernels;

// The rows' inputs as the products read them: [in / 64][rows][64].
template <class T>
UIR_INLINE void gather_inputs(const PointwiseShape& shape, const EdgePointers<T>& edges, const T* x,
                              int64_t rows, T* inputs) {
  for (int64_t c = 0; c < shape.in; c += kWidth) {
    const Start<T> start(edges, c);
    T* to = inputs + c / kInChunk * rows * kInChunk + c % kInChunk;
    for (int64_t row = 0; row < rows; ++row) {
      Values value;
      load_lanes(x + row * shape.in + c, value);
      start(value);
      store_lanes(value, to + row * kInChunk);
    }
  }
}

#if UIR_HAS_AVX512

// Rows of the commonest lengths are read where they are, unless something stands before the convolution.
#define UIR_POINTWISE_ROWS(T, TARGET)                                                                        \
  template <int64_t kStride>                                                                                 \
  TARGET void multiply(const PointwiseShape& shape, const EdgePointers<T>& edges, const T* a, int64_t chunk, \
                       const T* packed, int64_t begin, int64_t rows, T* y) {                                 \
    for (int64_t k = 0; k < shape.out; k += kPanel) {                                                        \
      const Finish<T> first(edges, k), second(edges, k + kWidth);                                            \
      multiply_panel<kStride>(a, packed + k * shape.in, shape.in, chunk, rows,                               \
                              [&](int64_t row, Values& low, Values& high) UIR_INLINE_LAMBDA {                \
                                const int64_t at = (begin + row) * shape.out + k;                            \
                                first(low, at);                                                              \
                                second(high, at + kWidth);                                                   \
                                store_lanes(low, y + at);                                                    \
                                store_lanes(high, y + at + kWidth);                                          \
                              });                                                                            \
    }                                                                                                        \
  }                                                                                                          \
  TARGET void run_rows(const PointwiseShape& shape, const EdgePointers<T>& edges, const T* x,                \
                       const T* packed, int64_t begin, int64_t end, T* inputs, T* y) {                       \
    const int64_t rows = end - begin;                                                                        \
    const T* const from = x + begin * shape.in;                                                              \
    switch (edges.in_scale ? 0 : shape.in) {                                                                 \
      case 64:                                                                                               \
        return multiply<64>(shape, edges, from, kInChunk, packed, begin, rows, y);                           \
      case 128:                                                                                              \
        return multiply<128>(shape, edges, from, kInChunk, packed, begin, rows, y);                          \
      case 256:                                                                                              \
        return multiply<256>(shape, edges, from, kInChunk, packed, begin, rows, y);                          \
      case 512:                                                                                              \
        return multiply<512>(shape, edges, from, kInChunk, packed, begin, rows, y);                          \
      default:                                                                                               \
        break;                                                                                               \
    }                                                                                                        \
    gather_inputs(shape, edges, from, rows, inputs);                                                         \
    multiply<kInChunk>(shape, edges, inputs, rows * kInChunk, packed, begin, rows, y);                       \
  }
UIR_POINTWISE_ROWS(float, UIR_AVX512)
UIR_POINTWISE_ROWS(Bf16, UIR_AVX512_BF16)
#undef UIR_POINTWISE_ROWS

#endif

}  // namespace

template <class T>
void pack_pointwise(const float* weight, const PointwiseShape& shape, T* packed) {
  for (int64_t k = 0; k < shape.out; ++k) {
    for (int64_t c = 0; c < shape.in; ++c)
      put_weight(weight[k * shape.in + c], c, k % kPanel, packed + k / kPanel * kPanel * shape.in);
  }
}
template void pack_pointwise(const float*, const PointwiseShape&, float*);
template void pack_pointwise(const float*, const PointwiseShape&, Bf16*);

#if UIR_HAS_AVX512
void pointwise_rows(const PointwiseShape& shape, const EdgePointers<float>& edges, const float* x,
                    const float* packed, int64_t begin, int64_t end, float* inputs, float* y) {
  run_rows(shape, edges, x, packed, begin, end, inputs, y);
}
void pointwise_rows(const PointwiseShape& shape, const EdgePointers<Bf16>& edges, const Bf16* x,
                    const Bf16* packed, int64_t begin, int64_t end, Bf16* inputs, Bf16* y) {
  run_rows(shape, edges, x, packed, begin, end, inputs, y);
}
#else
void pointwise_rows(const PointwiseShape&, const EdgePointers<float>&, const float*, const float*, int64_t,
                    int64_t, float*, float*) {
  fail(ErrorKind::kInternal, "this processor has no such kernels");
}
void pointwise_rows(const PointwiseShape&, const EdgePointers<Bf16>&, const Bf16*, const Bf16*, int64_t,
                    int64_t, Bf16*, Bf16*) {
  fail(ErrorKind::kInternal, "this processor has no such kernels");
}
#endif

}  // namespace uir
