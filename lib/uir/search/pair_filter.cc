#include "uir/search/pair_filter.h"

#include <algorithm>
#include <bit>
#include <cfloat>
#include <cmath>
#include <limits>

#include "uir/base/error.h"
#include "uir/search/rounding.h"

namespace uir {
namespace {

constexpr double kUnitRoundoff = 0x1p-24;  // of float32
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Below x by about 2^-22 of it; cheaper than the next smaller number, and called for every row of every tile.
float safely_below(double x) {
  const auto nearest = static_cast<float>(x);
  return nearest == kInfinity ? nearest : nearest - (std::abs(nearest) * 0x1p-22F + FLT_MIN);
}

// What the kernel's own arithmetic and the exact score's may be off by, as a share of (‖x‖ + e_x)·(‖y‖ +
// e_y): the sum's conversion to float32, its product with s_y, and e_y·reach with its addition, each one
// rounding of terms that are at most twice that; the reach and the limit are rounded to the safe side.
double rounding_share(const FilterKernel& kernel, int64_t dim) {
  const double d = static_cast<double>(dim);
  const double product = kernel.int8() ? 0 : d * kUnitRoundoff / (1 - d * kUnitRoundoff);
  return product + 8 * kUnitRoundoff + d * 0x1p-52;
}

}  // namespace

FilterVectors::FilterVectors(const FilterKernel& kernel, Side side, int64_t size, int64_t dim)
    : levels_(kernel.levels),
      side_(side),
      size_(size),
      dim_(dim),
      width_(side == Side::kRows ? kFilterRows : kFilterColumns),
      steps_(kernel.int8() ? (dim + 4 * kFilterSteps - 1) / (4 * kFilterSteps) * kFilterSteps : dim) {
  ensure(dim <= kMaxDim, "the filter's sums fit 32 bits");
  const auto padded = static_cast<size_t>(num_groups() * width_);
  lines_.resize((padded * static_cast<size_t>(steps_) + 15) / 16);
  scale_.assign(padded, 1);
  error_.assign(padded, 0);
  norm_.assign(padded, 0);
  reach_.assign(padded, 0);
  if (side == Side::kColumns) {
    group_error_.assign(static_cast<size_t>(num_groups()), 0);
    group_norm_.assign(static_cast<size_t>(num_groups()), 0);
  }
  start_.assign(padded, 0);
}

int64_t FilterVectors::bytes() const {
  return static_cast<int64_t>(lines_.size() * sizeof(Line) + scale_.size() * 20 + group_norm_.size() * 8);
}

void FilterVectors::set(int64_t i, std::span<const float> vector) {
  uint32_t* out = words() + i / width_ * width_ * steps_ + i % width_;
  double squares = 0;
  for (float x : vector) squares += double{x} * double{x};
  norm_[i] = norm_bound(squares);
  levels_ > 0 ? set_int8(vector, i, out) : set_float32(vector, out);
  reach_[i] = rounded_up((double{norm_[i]} + error_[i]) / scale_[i]);
  if (side_ == Side::kRows) return;
  group_error_[i / width_] = std::max(group_error_[i / width_], error_[i]);
  group_norm_[i / width_] = std::max(group_norm_[i / width_], norm_[i]);
}

void FilterVectors::set_float32(std::span<const float> vector, uint32_t* out) {
  for (int64_t d = 0; d < dim_; ++d) out[d * width_] = std::bit_cast<uint32_t>(vector[d]);
}

void FilterVectors::set_int8(std::span<const float> vector, int64_t i, uint32_t* out) {
  float largest = 0;
  for (float x : vector) largest = std::max(largest, std::abs(x));
  const float scale = std::max(largest / static_cast<float>(levels_), FLT_MIN), inverse = 1 / scale;
  const int offset = side_ == Side::kRows ? levels_ : 0;
  double squares = 0;
  int32_t sum = 0;
  for (int64_t d = 0; d < steps_ * 4; d += 4) {
    uint32_t word = 0;
    for (int64_t k = 0; k < 4; ++k) {
      const float x = d + k < dim_ ? vector[d + k] : 0;
      // Adding 1.5 · 2^23 leaves the nearest whole number in the last bits.
      constexpr float kRound = 12582912;
      const int rounded = static_cast<int>((x * inverse + kRound) - kRound);
      const int q = std::clamp(rounded, -levels_, levels_);
      const double residual = double{x} - double{scale} * q;
      squares += residual * residual;
      sum += q;
      word |= static_cast<uint32_t>((q + offset) & 0xff) << (8 * k);
    }
    out[d / 4 * width_] = word;
  }
  scale_[i] = scale;
  error_[i] = norm_bound(squares);
  start_[i] = -levels_ * sum;
}

FilterVectors filter_vectors(const FilterKernel& kernel, FilterVectors::Side side,
                             std::span<const float> values, int64_t dim) {
  FilterVectors vectors(kernel, side, std::ssize(values) / dim, dim);
  for (int64_t i = 0; i < vectors.size(); ++i)
    vectors.set(i, values.subspan(static_cast<size_t>(i * dim), static_cast<size_t>(dim)));
  return vectors;
}

bool filter_tile(const FilterKernel& kernel, const FilterVectors& rows, int64_t row_group,
                 const FilterVectors& columns, int64_t panel, std::span<const double> thresholds,
                 FilterMasks& masks) {
  const int64_t first_row = row_group * kFilterRows, first_column = panel * kFilterColumns;
  const double norm = columns.group_norm_[panel], error = columns.group_error_[panel];
  const double rounding = rounding_share(kernel, rows.dim_) * (norm + error);

  FilterTile tile{rows.group(row_group),
                  columns.group(panel),
                  rows.steps_,
                  columns.start_.data() + first_column,
                  columns.scale_.data() + first_column,
                  columns.error_.data() + first_column,
                  {},
                  {}};
  for (int64_t r = 0; r < kFilterRows; ++r) {
    const int64_t i = first_row + r;
    const double inverse = 1 / double{rows.scale_[i]}, length = double{rows.norm_[i]} + rows.error_[i];
    const double least = (thresholds[r] - rows.error_[i] * norm - rounding * length) * inverse;
    tile.limit[r] = i < rows.size_ ? safely_below(least) : kInfinity;
    tile.reach[r] = rows.reach_[i];
  }
  if (!kernel.run(tile, masks)) return false;

  const int64_t filled = std::min(kFilterColumns, columns.size_ - first_column);
  const uint64_t exist = filled == 64 ? ~uint64_t{0} : (uint64_t{1} << filled) - 1;
  uint64_t any = 0;
  for (int64_t r = 0; r < kFilterRows; ++r) any |= masks[r] &= first_row + r < rows.size_ ? exist : 0;
  return any != 0;
}

double filter_bound(const FilterKernel& kernel, const FilterVectors& rows, int64_t row,
                    const FilterVectors& columns, int64_t column) {
  const double e_x = rows.error_[row], e_y = columns.error_[column];
  const double n_x = rows.norm_[row], n_y = columns.norm_[column];
  return e_x * n_y + (n_x + e_x) * e_y + rounding_share(kernel, rows.dim_) * (n_x + e_x) * (n_y + e_y);
}

}  // namespace uir
