#include "uir/model/depthwise_kernels.h"

namespace uir {
namespace {

using namespace conv_kernels;
constexpr int64_t kTogether = 4;  // outputs of a line that share what is loaded

// One line of output. All channels of a few pixels, then the next pixels: lines of input are read as they lie
// in memory.
template <class T, int64_t kStride, bool kStarts>
class Line {
 public:
  UIR_INLINE Line(const DepthwiseShape& shape, const EdgePointers<T>& edges, const T* x, const float* weight,
                  int64_t line)
      : shape_(shape), edges_(edges), weight_(weight), first_out_(line * shape.out_width() * shape.channels) {
    const int64_t image = line / shape.out_height(), top = line % shape.out_height() * kStride - 1;
    for (int64_t i = 0; i < 3; ++i) {
      const bool inside = top + i >= 0 && top + i < shape.height;
      rows_[i] = inside ? x + (image * shape.height + top + i) * shape.width * shape.channels : nullptr;
    }
  }

  UIR_INLINE void run(T* y) const {
    const int64_t width = shape_.out_width();
    outputs<1, true>(0, y);
    int64_t i = 1;
    // All columns of these outputs lie inside.
    for (; (i + kTogether - 1) * kStride + 1 < shape_.width; i += kTogether) outputs<kTogether, false>(i, y);
    for (; i < width; ++i) outputs<1, true>(i, y);
  }

 private:
  template <int64_t kCount, bool kAtBorder>
  UIR_INLINE void outputs(int64_t first, T* y) const {
    for (int64_t c = 0; c < shape_.channels; c += kWidth) {
      Values sums[kCount] = {};
      for (int64_t i = 0; i < 3; ++i) {
        if (rows_[i])
          add_line<kCount, kAtBorder>(rows_[i] + c, weight_ + i * 3 * shape_.channels + c, first, c, sums);
      }
      const Finish<T> finish(edges_, c);
#pragma GCC unroll 4
      for (int64_t o = 0; o < kCount; ++o) {
        const int64_t at = first_out_ + (first + o) * shape_.channels + c;
        finish(sums[o], at);
        store_lanes(sums[o], y + at);
      }
    }
  }

  // Three taps of one line of input for each output.
  template <int64_t kCount, bool kAtBorder>
  UIR_INLINE void add_line(const T* row, const float* weight, int64_t first, int64_t c, Values* sums) const {
    constexpr int64_t kColumns = (kCount - 1) * kStride + 3;
    Values columns[kColumns], taps[3];
#pragma GCC unroll 9
    for (int64_t j = 0; j < kColumns; ++j) {
      const int64_t column = first * kStride - 1 + j;
      if (kAtBorder && (column < 0 || column >= shape_.width)) {
        columns[j] = Values{};
        continue;
      }
      load_lanes(row + column * shape_.channels, columns[j]);
      if (kStarts) Start<T>(edges_, c)(columns[j]);
    }
#pragma GCC unroll 3
    for (int64_t tap = 0; tap < 3; ++tap) load_lanes(weight + tap * shape_.channels, taps[tap]);
#pragma GCC unroll 4
    for (int64_t o = 0; o < kCount; ++o) {
      sums[o] += taps[0] * columns[o * kStride];
      sums[o] += taps[1] * columns[o * kStride + 1];
      sums[o] += taps[2] * columns[o * kStride + 2];
    }
  }

  const DepthwiseShape& shape_;
  const EdgePointers<T>& edges_;
  const float* const weight_;
  const int64_t first_out_;
  const T* rows_[3];
};

template <class T, int64_t kStride>
UIR_INLINE void run_lines(const DepthwiseShape& shape, const EdgePointers<T>& edges, const T* x,
                          const float* weight, int64_t begin, int64_t end, T* y) {
  for (int64_t line = begin; line < end; ++line) {
    if (edges.in_scale) {
      Line<T, kStride, true>(shape, edges, x, weight, line).run(y);
    } else {
      Line<T, kStride, false>(shape, edges, x, weight, line).run(y);
    }
  }
}

template <class T>
UIR_INLINE void run_rows(const DepthwiseShape& shape, const EdgePointers<T>& edges, const T* x,
                         const float* weight, int64_t begin, int64_t end, T* y) {
  if (shape.stride == 1) {
    run_lines<T, 1>(shape, edges, x, weight, begin, end, y);
  } else {
    run_lines<T, 2>(shape, edges, x, weight, begin, end, y);
  }
}

}  // namespace

UIR_MULTIVERSION void depthwise_rows(const DepthwiseShape& shape, const EdgePointers<float>& edges,
                                     const float* x, const float* weight, int64_t begin, int64_t end,
                                     float* y) {
  run_rows(shape, edges, x, weight, begin, end, y);
}
UIR_MULTIVERSION void depthwise_rows(const DepthwiseShape& shape, const EdgePointers<Bf16>& edges,
                                     const Bf16* x, const float* weight, int64_t begin, int64_t end,
                                     Bf16* y) {
  run_rows(shape, edges, x, weight, begin, end, y);
}

}  // namespace uir
