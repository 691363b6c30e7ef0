#include "uir/head/class_tile.h"

#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "uir/head/packs.h"

namespace uir {
namespace {

using packs::for_each_pack;
using packs::kWidth;
using packs::load;
using packs::Pack;
using packs::store;

constexpr int64_t kNoTarget = -1;
constexpr int64_t kSumBlock = 2048;      // classes summed in the tile's type before float64 takes over
constexpr int64_t kGradientBlock = 512;  // classes whose column sums stay in the first-level cache

// Below this distance of the largest logit from the mean, a row is summed as Σ expm1.
constexpr double kNarrow = 1;

// A logit relative to a float64 shift, without losing the shift's low digits.
template <class T>
struct Exponent {
  T scale, high, low;
  Exponent(double scale, double shift)
      : scale(static_cast<T>(scale)), high(static_cast<T>(shift)), low(static_cast<T>(shift - high)) {}
  UIR_INLINE Pack<T> operator()(const Pack<T>& cosine) const { return (cosine * scale - high) - low; }
};

template <class T>
struct CosineSums {
  double sum = 0;
  T largest = -std::numeric_limits<T>::infinity();
};

// Turns products into cosines.
template <class T>
UIR_INLINE CosineSums<T> sum_cosines(T* products, const T* inverse_norms, int64_t n) {
  Pack<T> sum{}, largest = Pack<T>{} - std::numeric_limits<T>::infinity();
  for_each_pack<T>(
      0, n, [&](int64_t i, int64_t count) __attribute__((always_inline)) {
        const Pack<T> cosine = load(products + i, count) * load(inverse_norms + i, count);
        store(products + i, cosine, count);
        sum += cosine;
        const Pack<T> candidate = packs::with_rest<T>(cosine, count, largest);
        largest = candidate > largest ? candidate : largest;
      });
  return {packs::sum<T>(sum), packs::largest<T>(largest)};
}

// Σ exp z and Σ cos of classes that are no target.
template <class T>
UIR_INLINE void add_others(T* products, const T* inverse_norms, int64_t n, double scale, double* sums) {
  if (n == 0) return;
  const CosineSums<T> cosines = sum_cosines(products, inverse_norms, n);
  const double mean = cosines.sum / static_cast<double>(n);
  const bool narrow = scale * (cosines.largest - mean) < kNarrow;
  const T shift = static_cast<T>(scale * (narrow ? mean : cosines.largest));
  const T factor = static_cast<T>(scale);
  Pack<T> total{}, distance{};
  for_each_pack<T>(
      0, n, [&](int64_t i, int64_t count) __attribute__((always_inline)) {
        const Pack<T> exponent = load(products + i, count) * factor - shift;
        total += packs::with_rest<T>(packs::exp_or_expm1(exponent, narrow), count, Pack<T>{});
        distance += packs::with_rest<T>(exponent, count, Pack<T>{});
      });
  const double offset = narrow ? static_cast<double>(n) : 0;
  sums[kSumExp] += std::exp(static_cast<double>(shift)) * (offset + packs::sum<T>(total));
  // Through the distances from the shift, which are small where the loss needs the digits.
  sums[kSumCosine] += (static_cast<double>(n) * shift + packs::sum<T>(distance)) / scale;
  sums[kLargestOther] = std::max(sums[kLargestOther], static_cast<double>(cosines.largest));
}

template <class T>
UIR_INLINE void add_row(T* products, const T* inverse_norms, int64_t n, int64_t target, double scale,
                        double* sums) {
  for (int64_t begin = 0; begin < n; begin += kSumBlock) {
    const int64_t end = std::min(n, begin + kSumBlock);
    const bool split = begin <= target && target < end;
    const int64_t middle = split ? target : end;
    add_others(products + begin, inverse_norms + begin, middle - begin, scale, sums);
    if (!split) continue;
    products[target] *= inverse_norms[target];
    sums[kTargetCosine] += static_cast<double>(products[target]);
    add_others(products + target + 1, inverse_norms + target + 1, end - target - 1, scale, sums);
  }
}

template <class T>
UIR_INLINE void add_released_row(const T* products, const T* inverse_norms, int64_t n,
                                 const Exponent<T>& exponent, int64_t num_classes, double* sums) {
  const T per_class = static_cast<T>(1 / static_cast<double>(num_classes));
  for (int64_t begin = 0; begin < n; begin += kSumBlock) {
    Pack<T> excess_sum{}, curvature_sum{};
    for_each_pack<T>(
        begin, std::min(n, begin + kSumBlock), [&](int64_t i, int64_t count) __attribute__((always_inline)) {
          const Pack<T> cosine = load(products + i, count) * load(inverse_norms + i, count);
          const Pack<T> q = packs::expm1<T>(exponent(cosine)) * per_class;
          const Pack<T> excess = packs::exp_excess<T>(q);
          excess_sum += packs::with_rest<T>(excess, count, Pack<T>{});
          curvature_sum += packs::with_rest<T>(q * (q + excess), count, Pack<T>{});
        });
    sums[kExcess] += packs::sum<T>(excess_sum);
    sums[kCurvature] += packs::sum<T>(curvature_sum);
  }
}

// Gradients by the cosines, one object per row; operator() maps a pack of cosines.
template <class T>
struct Softmax {
  Exponent<T> exponent;
  T factor;
  Softmax(double scale, const double* row, int64_t) : exponent(scale, row[kShift]), factor(row[kFactor]) {}
  UIR_INLINE Pack<T> operator()(const Pack<T>& cosine) const {
    return packs::exp<T>(exponent(cosine)) * factor;
  }
};

template <class T>
struct Centered {
  Exponent<T> exponent;
  T factor;
  Centered(double scale, const double* row, int64_t) : exponent(scale, row[kShift]), factor(row[kFactor]) {}
  UIR_INLINE Pack<T> operator()(const Pack<T>& cosine) const {
    return packs::expm1<T>(exponent(cosine)) * factor;
  }
};

template <class T>
struct Released {
  Exponent<T> exponent;
  T factor, per_class, offset;
  Released(double scale, const double* row, int64_t num_classes)
      : exponent(scale, row[kShift]),
        factor(row[kFactor]),
        per_class(1 / static_cast<double>(num_classes)),
        offset(row[kOffset]) {}
  UIR_INLINE Pack<T> operator()(const Pack<T>& cosine) const {
    const Pack<T> q = packs::expm1<T>(exponent(cosine)) * per_class;
    return (q + per_class) * ((q + packs::exp_excess<T>(q)) - offset) * factor;
  }
};

template <class T, class Gradient>
UIR_INLINE void replace_segment(T* products, const T* inverse_norms, int64_t begin, int64_t end,
                                const Gradient& gradient_of, T* dots) {
  for_each_pack<T>(
      begin, end, [&](int64_t i, int64_t count) __attribute__((always_inline)) {
        const Pack<T> inverse_norm = load(inverse_norms + i, count);
        const Pack<T> cosine = load(products + i, count) * inverse_norm;
        const Pack<T> gradient = gradient_of(cosine);
        store(products + i, gradient * inverse_norm, count);
        store(dots + i, load(dots + i, count) + gradient * cosine, count);
      });
}

// A tile's memory.
template <class T>
struct View {
  T* products;
  const T* inverse_norms;
  int64_t rows, classes, row_stride, first_class, num_classes;
  double scale;
  const int64_t* targets;  // may be null
  T* row(int64_t r) const { return products + r * row_stride; }
  int64_t target(int64_t r) const { return targets ? targets[r] - first_class : kNoTarget; }
};

template <class T, template <class> class Gradient>
UIR_INLINE void replace_block(const View<T>& v, const double* rows, int64_t begin, int64_t end, T* dots) {
  for (int64_t r = 0; r < v.rows; ++r) {
    const double* row = rows + r * kNumRowGradients;
    const Gradient<T> gradient(v.scale, row, v.num_classes);
    const int64_t target = v.target(r);
    const bool split = begin <= target && target < end;
    replace_segment(v.row(r), v.inverse_norms, begin, split ? target : end, gradient, dots);
    if (!split) continue;
    const T cosine = v.row(r)[target] * v.inverse_norms[target];
    const T at_target = static_cast<T>(row[kTargetGradient]);
    v.row(r)[target] = at_target * v.inverse_norms[target];
    dots[target] += at_target * cosine;
    replace_segment(v.row(r), v.inverse_norms, target + 1, end, gradient, dots);
  }
}

// The functions compiled for every kind of processor; they inline everything above. One set per type, since
// target_clones does not apply to templates.
#define UIR_TILE_FUNCTIONS(T)                                                                              \
  UIR_EVERY_CPU void row_sums(const View<T>& v, int64_t r, double* sums) {                                 \
    add_row<T>(v.row(r), v.inverse_norms, v.classes, v.target(r), v.scale, sums);                          \
  }                                                                                                        \
  UIR_EVERY_CPU void released_sums(const View<T>& v, int64_t r, double shift, double* sums) {              \
    add_released_row<T>(v.row(r), v.inverse_norms, v.classes, Exponent<T>(v.scale, shift), v.num_classes,  \
                        sums);                                                                             \
  }                                                                                                        \
  UIR_EVERY_CPU void softmax_block(const View<T>& v, const double* rows, int64_t b, int64_t e, T* dots) {  \
    replace_block<T, Softmax>(v, rows, b, e, dots);                                                        \
  }                                                                                                        \
  UIR_EVERY_CPU void centered_block(const View<T>& v, const double* rows, int64_t b, int64_t e, T* dots) { \
    replace_block<T, Centered>(v, rows, b, e, dots);                                                       \
  }                                                                                                        \
  UIR_EVERY_CPU void released_block(const View<T>& v, const double* rows, int64_t b, int64_t e, T* dots) { \
    replace_block<T, Released>(v, rows, b, e, dots);                                                       \
  }
UIR_TILE_FUNCTIONS(float)
UIR_TILE_FUNCTIONS(double)
#undef UIR_TILE_FUNCTIONS

template <class T>
View<T> view_of(const ClassTile& tile, const at::Tensor& targets_R, int64_t num_classes) {
  const at::Tensor& products = tile.products_RT;
  return {products.data_ptr<T>(),
          tile.inverse_norms_T.data_ptr<T>(),
          products.size(0),
          products.size(1),
          products.stride(0),
          tile.first_class,
          num_classes,
          tile.scale,
          targets_R.defined() ? targets_R.data_ptr<int64_t>() : nullptr};
}

// Calls body(view) with the tile's memory as float or double.
template <class Body>
void with_view(const ClassTile& tile, const at::Tensor& targets_R, int64_t num_classes, Body&& body) {
  if (tile.products_RT.scalar_type() == at::kFloat) {
    body(view_of<float>(tile, targets_R, num_classes));
  } else {
    body(view_of<double>(tile, targets_R, num_classes));
  }
}

template <class T>
void replace_in_blocks(const View<T>& v, GradientForm form, const double* rows, T* dots) {
  for (int64_t begin = 0; begin < v.classes; begin += kGradientBlock) {
    const int64_t end = std::min(v.classes, begin + kGradientBlock);
    switch (form) {
      case GradientForm::kSoftmax:
        softmax_block(v, rows, begin, end, dots);
        break;
      case GradientForm::kCentered:
        centered_block(v, rows, begin, end, dots);
        break;
      case GradientForm::kReleased:
        released_block(v, rows, begin, end, dots);
        break;
    }
  }
}

}  // namespace

at::Tensor empty_row_sums(int64_t blocks, int64_t rows, const at::Device& device) {
  at::Tensor sums_KR4 = at::zeros({blocks, rows, kNumRowSums}, at::TensorOptions(at::kDouble).device(device));
  sums_KR4.select(2, kLargestOther).fill_(-std::numeric_limits<double>::infinity());
  return sums_KR4;
}

at::Tensor sum_of_blocks(const at::Tensor& sums_KR4) {
  at::Tensor sums_R4 = sums_KR4.sum(0);
  sums_R4.select(1, kLargestOther).copy_(sums_KR4.select(2, kLargestOther).amax(0));
  return sums_R4;
}

void add_row_sums(ClassTile& tile, const at::Tensor& targets_R, const at::Tensor& sums_R4) {
  if (!tile.products_RT.is_cpu()) return generic::add_row_sums(tile, targets_R, sums_R4);
  double* sums = sums_R4.data_ptr<double>();
  with_view(tile, targets_R, 0, [&](const auto& view) {
    for (int64_t r = 0; r < view.rows; ++r) row_sums(view, r, sums + r * kNumRowSums);
  });
}

void add_released_sums(ClassTile& tile, const at::Tensor& shifts_R, int64_t num_classes,
                       const at::Tensor& sums_R2) {
  if (!tile.products_RT.is_cpu()) return generic::add_released_sums(tile, shifts_R, num_classes, sums_R2);
  const double* shifts = shifts_R.data_ptr<double>();
  double* sums = sums_R2.data_ptr<double>();
  with_view(tile, at::Tensor(), num_classes, [&](const auto& view) {
    for (int64_t r = 0; r < view.rows; ++r) released_sums(view, r, shifts[r], sums + r * kNumReleasedSums);
  });
}

void replace_by_gradient(ClassTile& tile, GradientForm form, const at::Tensor& targets_R,
                         const at::Tensor& rows_R4, int64_t num_classes, const at::Tensor& cosine_dots_T) {
  if (!tile.products_RT.is_cpu()) {
    return generic::replace_by_gradient(tile, form, targets_R, rows_R4, num_classes, cosine_dots_T);
  }
  with_view(tile, targets_R, num_classes, [&](const auto& view) {
    using T = std::remove_reference_t<decltype(*view.products)>;
    replace_in_blocks(view, form, rows_R4.data_ptr<double>(), cosine_dots_T.data_ptr<T>());
  });
}

}  // namespace uir
