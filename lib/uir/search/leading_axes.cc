#include "uir/search/leading_axes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include "uir/base/error.h"
#include "uir/base/random.h"
#include "uir/search/exact_scores.h"
#include "uir/search/rounding.h"

namespace uir {
namespace {

constexpr int64_t kRestValues = 4;             // of a leading vector
constexpr int64_t kLeastDim = 64;              // with which a look may pay
constexpr int64_t kLeastPairs = 1 << 20;       // of a scan, times D: below, making the axes costs too much
constexpr int64_t kSample = 2048;              // vectors whose axes they are
constexpr int64_t kIterations = 4;             // of the subspace
constexpr int64_t kGroups = 64, kPanels = 16;  // of the sample of tiles
constexpr double kEta = 0x1p-23;               // more than float32 rounds a vector of length 1 by
constexpr double kOrthonormal = 1e-3;          // axes that are less so are not used

// In multiplications of the filter, measured with AVX-512 VNNI: a float64 one, and what a tile costs beside
// its products, per pair. A tile that is not left out costs this share of its whole products: mostly one
// pair passes.
constexpr double kFloat64Cost = 18, kTileCost = 32, kPassingCost = 0.6;

// Evenly spread places for `count` pieces of `length` among n.
std::vector<int64_t> places(int64_t n, int64_t length, int64_t count) {
  count = std::min(count, n / length);
  std::vector<int64_t> begins;
  for (int64_t i = 0; i < count; ++i) begins.push_back(i * (n - length) / std::max<int64_t>(1, count - 1));
  return begins;
}

void append(const UnitRows& rows, int64_t i, std::vector<float>& values) {
  values.resize(values.size() + static_cast<size_t>(rows.dim()));
  rows.read(i, std::span(values).last(static_cast<size_t>(rows.dim())));
}

// [n, D] of rows and columns.
std::vector<float> sample_of(const ScoreMatrix& matrix) {
  std::vector<float> values;
  for (const UnitRows* side : {&matrix.rows, &matrix.columns})
    for (const int64_t i : places(side->size(), 1, kSample / 2)) append(*side, i, values);
  return values;
}

// out[r, c] = Σ_d a[r, d] b[c, d] in float64.
std::vector<double> products(MatrixView a, MatrixView b) {
  const ScoreColumns columns(b);
  std::vector<double> out(static_cast<size_t>(a.rows * b.rows));
  for (int64_t begin = 0; begin < a.rows; begin += kScoreRows) {
    visit_scores(a, begin, std::min(a.rows, begin + kScoreRows), columns, 0,
                 [&](int64_t row, int64_t first, std::span<const double> scores) {
                   std::ranges::copy(scores, out.begin() + row * b.rows + first);
                 });
  }
  return out;
}

std::vector<float> as_floats(const std::vector<double>& values) { return {values.begin(), values.end()}; }

std::vector<float> transposed(const std::vector<float>& values, int64_t columns) {
  const int64_t rows = std::ssize(values) / columns;
  std::vector<float> out(values.size());
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c) out[c * rows + r] = values[r * columns + c];
  return out;
}

double dot(std::span<const double> a, std::span<const double> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

// Gram and Schmidt's, twice for what float64 loses the first time; returns the lengths before. Rows that
// depend on others become 0.
std::vector<double> orthonormalise(std::vector<double>& rows, int64_t dim) {
  const auto row = [&](int64_t i) {
    return std::span(rows).subspan(static_cast<size_t>(i * dim), static_cast<size_t>(dim));
  };
  std::vector<double> lengths;
  for (int64_t i = 0; i < std::ssize(rows) / dim; ++i) {
    const std::span<double> x = row(i);
    for (int pass = 0; pass < 2; ++pass) {
      for (int64_t j = 0; j < i; ++j) {
        const double along = dot(x, row(j));
        for (int64_t d = 0; d < dim; ++d) x[d] -= along * row(j)[d];
      }
      const double length = std::sqrt(dot(x, x));
      if (pass == 0) lengths.push_back(length);
      for (double& value : x) value = length > 1e-12 ? value / length : 0;
    }
  }
  return lengths;
}

// The axes of the largest second moments, by subspace iteration (Golub and Van Loan, Matrix Computations,
// 2013, 8.2.4): [count, D], by falling moment.
std::vector<float> principal_axes(const std::vector<float>& sample, int64_t dim, int64_t count) {
  const std::vector<float> by_value = transposed(sample, dim);
  const MatrixView values{by_value.data(), dim, std::ssize(sample) / dim};
  const std::vector<float> moments = as_floats(products(values, values));
  ItemRandom random(1, RandomPurpose::kSampleScores, 0, 0);
  std::vector<double> axes(static_cast<size_t>(count * dim)), lengths;
  for (double& value : axes) value = random.normal();
  for (int64_t i = 0; i < kIterations; ++i) {
    orthonormalise(axes, dim);
    const std::vector<float> rounded = as_floats(axes);
    axes = products({rounded.data(), count, dim}, {moments.data(), dim, dim});
  }
  lengths = orthonormalise(axes, dim);
  std::vector<int64_t> order(lengths.size());
  std::iota(order.begin(), order.end(), int64_t{0});
  std::ranges::sort(order, std::greater(), [&](int64_t i) { return std::pair(lengths[i], -i); });
  std::vector<float> sorted;
  for (const int64_t i : order)
    sorted.insert(sorted.end(), axes.begin() + i * dim, axes.begin() + (i + 1) * dim);
  return sorted;
}

std::vector<int64_t> sizes_to_try(int64_t dim) {
  std::vector<int64_t> sizes;
  for (int64_t eighths = 1; eighths <= 4; ++eighths) sizes.push_back((dim * eighths / 8 + 15) / 16 * 16);
  return sizes;
}

FilterVectors filter_vectors(const FilterKernel& kernel, FilterVectors::Side side,
                             const std::vector<float>& values, int64_t size) {
  FilterVectors vectors(kernel, side, std::ssize(values) / size, size);
  for (int64_t i = 0; i < vectors.size(); ++i)
    vectors.set(i, std::span(values).subspan(static_cast<size_t>(i * size), static_cast<size_t>(size)));
  return vectors;
}

}  // namespace

std::unique_ptr<LeadingAxes> LeadingAxes::find(const ScoreMatrix& matrix, const FilterKernel& kernel) {
  const int64_t dim = matrix.rows.dim();
  const double pairs = static_cast<double>(matrix.rows.size()) * static_cast<double>(matrix.columns.size());
  if (!kernel.int8() || dim < kLeastDim || pairs < static_cast<double>(kLeastPairs * dim)) return nullptr;
  std::unique_ptr<LeadingAxes> axes(new LeadingAxes(matrix, kernel, sizes_to_try(dim)));
  return axes->usable() ? std::move(axes) : nullptr;
}

std::unique_ptr<LeadingAxes> LeadingAxes::forced(const ScoreMatrix& matrix, const FilterKernel& kernel,
                                                 int64_t size) {
  ensure(size > kRestValues && size < matrix.rows.dim(), "a leading vector is a part of a vector");
  std::unique_ptr<LeadingAxes> axes(new LeadingAxes(matrix, kernel, std::array{size}));
  axes->forced_ = true;
  return axes->usable() ? std::move(axes) : nullptr;
}

LeadingAxes::LeadingAxes(const ScoreMatrix& matrix, const FilterKernel& kernel,
                         std::span<const int64_t> sizes)
    : dim_(matrix.rows.dim()) {
  const int64_t most = std::ranges::max(sizes) - kRestValues;
  axes_ = principal_axes(sample_of(matrix), dim_, most);
  const MatrixView view{axes_.data(), most, dim_};
  const std::vector<double> gram = products(view, view);
  for (const int64_t size : sizes) {
    double squares = 0;
    for (int64_t i = 0; i < size - kRestValues; ++i) {
      for (int64_t j = 0; j < size - kRestValues; ++j)
        squares += std::pow(gram[i * most + j] - (i == j ? 1 : 0), 2);
    }
    const double epsilon = std::sqrt(squares) * (1 + 1e-9);
    if (epsilon < kOrthonormal) looks_.push_back({size, epsilon, {}});
  }
  for (Look& look : looks_) look.levels = levels_of_tiles(matrix, kernel, look);
}

const LeadingAxes::Look& LeadingAxes::look(int64_t size) const {
  return *std::ranges::find(looks_, size, &Look::size);
}

// The unit vectors' lengths differ from 1 by less than a part in 10^6, exact scores from the real ones by
// less.
double LeadingAxes::slack(int64_t size) const { return (3 * look(size).epsilon + 2 * kEta) * 1.01 + 1e-9; }

std::vector<float> LeadingAxes::vectors(MatrixView unit, int64_t size) const {
  const double rest_slack = (2 * kEta + look(size).epsilon) * 1.01;
  const int64_t num_axes = size - kRestValues;
  const std::vector<double> coordinates = products({axes_.data(), num_axes, dim_}, unit);
  std::vector<float> out(static_cast<size_t>(unit.rows * size));
  for (int64_t i = 0; i < unit.rows; ++i) {
    float* leading = out.data() + i * size;
    double squares = rest_slack;
    for (const float x : unit.row(i)) squares += double{x} * double{x};
    for (int64_t k = 0; k < num_axes; ++k) {
      leading[k] = static_cast<float>(coordinates[k * unit.rows + i]);
      squares -= double{leading[k]} * double{leading[k]};
    }
    std::fill_n(leading + num_axes, kRestValues, norm_bound(std::max(0.0, squares)) / 2);
  }
  return out;
}

// By bisection: the filter decides, so its own errors count.
std::vector<double> LeadingAxes::levels_of_tiles(const ScoreMatrix& matrix, const FilterKernel& kernel,
                                                 const Look& look) const {
  std::vector<float> rows, columns;
  for (const int64_t begin : places(matrix.rows.size(), kFilterRows, kGroups))
    for (int64_t i = begin; i < begin + kFilterRows; ++i) append(matrix.rows, i, rows);
  for (const int64_t begin : places(matrix.columns.size(), kFilterColumns, kPanels))
    for (int64_t i = begin; i < begin + kFilterColumns; ++i) append(matrix.columns, i, columns);
  const auto packed = [&](FilterVectors::Side side, const std::vector<float>& unit) {
    const MatrixView view{unit.data(), std::ssize(unit) / dim_, dim_};
    return filter_vectors(kernel, side, vectors(view, look.size), look.size);
  };
  const FilterVectors row_side = packed(FilterVectors::Side::kRows, rows);
  const FilterVectors column_side = packed(FilterVectors::Side::kColumns, columns);
  std::vector<double> levels;
  for (int64_t group = 0; group < row_side.num_groups(); ++group) {
    for (int64_t panel = 0; panel < column_side.num_groups(); ++panel) {
      double passes = -2, left_out = 2;
      while (left_out - passes > 1e-3) {
        std::array<double, kFilterRows> thresholds;
        thresholds.fill((passes + left_out) / 2 - slack(look.size));
        FilterMasks masks;
        const bool any = filter_tile(kernel, row_side, group, column_side, panel, thresholds, masks);
        (any ? passes : left_out) = (passes + left_out) / 2;
      }
      levels.push_back(left_out);
    }
  }
  std::ranges::sort(levels);
  return levels;
}

int64_t LeadingAxes::best_size(std::span<const double> thresholds, int64_t rows, int64_t columns) const {
  if (forced_) return looks_.front().size;
  int64_t best = 0;
  double least = 0.95 * static_cast<double>(dim_);  // of a scan without a look, and some for its uncertainty
  const double per_value = 1 + kFloat64Cost * static_cast<double>(dim_) *
                                   (1 / static_cast<double>(rows) + 1 / static_cast<double>(columns));
  for (const Look& look : looks_) {
    if (look.levels.empty()) continue;
    double passing = 0;
    for (const double threshold : thresholds) {
      const auto first = std::ranges::lower_bound(look.levels, threshold);
      passing += static_cast<double>(look.levels.end() - first) / static_cast<double>(look.levels.size());
    }
    passing /= static_cast<double>(thresholds.size());
    const double cost = static_cast<double>(look.size) * per_value + kTileCost +
                        passing * kPassingCost * static_cast<double>(dim_);
    if (cost < least) {
      least = cost;
      best = look.size;
    }
  }
  return best;
}

}  // namespace uir
