#include "uir/model/batch_norm_kernels.h"

#include <algorithm>
#include <vector>

#include "uir/model/multiversion.h"

namespace uir {
namespace {

constexpr int64_t kBlockRows = 64;

// Calls body(row) for the rows of a block in fours, then body1(row) for the rest.
template <class Four, class One>
UIR_INLINE void for_rows_in_fours(int64_t begin, int64_t end, Four&& four, One&& one) {
  for (; begin + 4 <= end; begin += 4) four(begin);
  for (; begin < end; ++begin) one(begin);
}

// Both values are computed before the choice: a branch would keep the loop from being vectorised.
template <class A>
UIR_INLINE A select_positive(A z, A positive, A otherwise) {
  return z > 0 ? positive : otherwise;
}

template <class A>
UIR_INLINE void add_to(double* totals, std::vector<A>& block) {
  for (size_t c = 0; c < block.size(); ++c) totals[c] += static_cast<double>(block[c]);
  std::fill(block.begin(), block.end(), A{0});
}

template <class T, class A = ComputeType<T>>
UIR_INLINE void add_moments_of(const Rows<T>& in, const Moments<A>& out) {
  const int64_t C = in.channels;
  std::vector<A> sums(C), squares(C);
  A* const sum = sums.data();
  A* const square = squares.data();
  const A* const pivot = out.pivot;
  for (int64_t begin = 0; begin < in.rows; begin += kBlockRows) {
    const auto four = [&](int64_t row) {
      const T* const x = in.x + row * C;
#pragma omp simd
      for (int64_t c = 0; c < C; ++c) {
        const A d0 = load(x[c]) - pivot[c], d1 = load(x[C + c]) - pivot[c];
        const A d2 = load(x[2 * C + c]) - pivot[c], d3 = load(x[3 * C + c]) - pivot[c];
        sum[c] += (d0 + d1) + (d2 + d3);
        square[c] += (d0 * d0 + d1 * d1) + (d2 * d2 + d3 * d3);
      }
    };
    const auto one = [&](int64_t row) {
      const T* const x = in.x + row * C;
#pragma omp simd
      for (int64_t c = 0; c < C; ++c) {
        const A d = load(x[c]) - pivot[c];
        sum[c] += d;
        square[c] += d * d;
      }
    };
    for_rows_in_fours(begin, std::min(begin + kBlockRows, in.rows), four, one);
    add_to(out.sum, sums);
    add_to(out.sum_of_squares, squares);
  }
}

template <bool kPrelu, bool kResidual, class T, class A>
UIR_INLINE void activate_as(const Rows<T>& in, const Activation<A>& f, const T* residual, T* y) {
  for (int64_t row = 0; row < in.rows; ++row) {
    const int64_t at = row * in.channels;
#pragma omp simd
    for (int64_t c = 0; c < in.channels; ++c) {
      A z = load(in.x[at + c]) * f.scale[c] + f.shift[c];
      if constexpr (kPrelu) z = select_positive(z, z, z * f.slope[c]);
      if constexpr (kResidual) z += load(residual[at + c]);
      store(y[at + c], z);
    }
  }
}

template <class T, class A = ComputeType<T>>
UIR_INLINE void activate_any(const Rows<T>& in, const Activation<A>& f, const T* residual, T* y) {
  if (f.slope && residual) return activate_as<true, true>(in, f, residual, y);
  if (f.slope) return activate_as<true, false>(in, f, residual, y);
  if (residual) return activate_as<false, true>(in, f, residual, y);
  activate_as<false, false>(in, f, residual, y);
}

template <bool kPrelu, class T, class A>
UIR_INLINE void add_gradient_sums_as(const Rows<T>& in, const T* dy, const Activation<A>& f,
                                     const GradientSums<A>& out) {
  const int64_t C = in.channels;
  std::vector<A> gs(C), g_xs(C), slopes(kPrelu ? C : 0);
  A* const sum_g = gs.data();
  A* const sum_g_x = g_xs.data();
  A* const sum_slope = slopes.data();
  const auto add_row = [&](int64_t row) {
    const int64_t at = row * C;
#pragma omp simd
    for (int64_t c = 0; c < C; ++c) {
      const A x = load(in.x[at + c]);
      const A d = load(dy[at + c]);
      A g = d;
      if constexpr (kPrelu) {
        const A z = x * f.scale[c] + f.shift[c];
        g = select_positive(z, d, d * f.slope[c]);
        sum_slope[c] += select_positive(z, A{0}, d * z);
      }
      sum_g[c] += g;
      sum_g_x[c] += g * (x - out.mean[c]);
    }
  };
  for (int64_t begin = 0; begin < in.rows; begin += kBlockRows) {
    for (int64_t row = begin; row < std::min(begin + kBlockRows, in.rows); ++row) add_row(row);
    add_to(out.g, gs);
    add_to(out.g_x, g_xs);
    if constexpr (kPrelu) add_to(out.slope, slopes);
  }
}

template <bool kPrelu, class T, class A>
UIR_INLINE void input_gradient_as(const Rows<T>& in, const T* dy, const Activation<A>& f,
                                  const InputGradient<A>& terms, T* dx) {
  for (int64_t row = 0; row < in.rows; ++row) {
    const int64_t at = row * in.channels;
#pragma omp simd
    for (int64_t c = 0; c < in.channels; ++c) {
      const A x = load(in.x[at + c]);
      A g = load(dy[at + c]);
      if constexpr (kPrelu) g = select_positive(x * f.scale[c] + f.shift[c], g, g * f.slope[c]);
      store(dx[at + c], f.scale[c] * g + (terms.from_x[c] * (x - terms.mean[c]) + terms.constant[c]));
    }
  }
}

}  // namespace

#define UIR_DEFINE_BATCH_NORM_KERNELS(T)                                                                    \
  UIR_MULTIVERSION void add_moments(const Rows<T>& in, const Moments<ComputeType<T>>& out) {                \
    add_moments_of(in, out);                                                                                \
  }                                                                                                         \
  UIR_MULTIVERSION void activate(const Rows<T>& in, const Activation<ComputeType<T>>& f, const T* residual, \
                                 T* y) {                                                                    \
    activate_any(in, f, residual, y);                                                                       \
  }                                                                                                         \
  UIR_MULTIVERSION void add_gradient_sums(const Rows<T>& in, const T* dy,                                   \
                                          const Activation<ComputeType<T>>& f,                              \
                                          const GradientSums<ComputeType<T>>& out) {                        \
    f.slope ? add_gradient_sums_as<true>(in, dy, f, out) : add_gradient_sums_as<false>(in, dy, f, out);     \
  }                                                                                                         \
  UIR_MULTIVERSION void input_gradient(const Rows<T>& in, const T* dy, const Activation<ComputeType<T>>& f, \
                                       const InputGradient<ComputeType<T>>& terms, T* dx) {                 \
    f.slope ? input_gradient_as<true>(in, dy, f, terms, dx)                                                 \
            : input_gradient_as<false>(in, dy, f, terms, dx);                                               \
  }

UIR_DEFINE_BATCH_NORM_KERNELS(float)
UIR_DEFINE_BATCH_NORM_KERNELS(double)
UIR_DEFINE_BATCH_NORM_KERNELS(Bf16)

}  // namespace uir
