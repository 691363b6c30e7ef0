#include "uir/search/leading_axes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <tuple>
#include <utility>

#include "uir/base/error.h"
#include "uir/base/random.h"
#include "uir/search/exact_scores.h"
#include "uir/search/rounding.h"

namespace uir {
namespace {

constexpr int64_t kRestValues = 4;             // of a leading vector
constexpr int64_t kLeastDim = 64;              // with which a look may pay
constexpr int64_t kMostDim = 2048;             // with which the axes cost little memory
constexpr int64_t kLeastPairs = 1 << 23;       // of a scan, times D: below, making the axes costs too much
constexpr int64_t kSample = 2048;              // vectors whose axes they are
constexpr int64_t kIterations = 4;             // of the subspace
constexpr int64_t kGroups = 64, kPanels = 16;  // of the sample of tiles
constexpr double kEta = 0x1p-23;               // more than float32 rounds a vector of length 1 by
constexpr double kOrthonormal = 1e-3;          // axes that are less so are not used

// In multiplications of the filter, measured with AVX-512 VNNI: a float64 one, and what a tile costs beside
// its products, per pair. Of a whole tile's products: scoring one pair.
constexpr double kFloat64Cost = 18, kTileCost = 32, kPairCost = 0.5;

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

// In four sums, which a processor adds at once.
double dot(std::span<const double> a, std::span<const double> b) {
  std::array<double, 4> sums{};
  const size_t whole = a.size() / 4 * 4;
  for (size_t d = 0; d < whole; d += 4)
    for (size_t k = 0; k < 4; ++k) sums[k] += a[d + k] * b[d + k];
  double sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  for (size_t d = whole; d < a.size(); ++d) sum += a[d] * b[d];
  return sum;
}

// Gram and Schmidt's, with a second pass for what float64 loses in the first; returns the lengths before. Rows
// that depend on others become 0.
std::vector<double> orthonormalise(std::vector<double>& rows, int64_t dim, int passes) {
  const auto row = [&](int64_t i) {
    return std::span(rows).subspan(static_cast<size_t>(i * dim), static_cast<size_t>(dim));
  };
  std::vector<double> lengths;
  for (int64_t i = 0; i < std::ssize(rows) / dim; ++i) {
    const std::span<double> x = row(i);
    for (int pass = 0; pass < passes; ++pass) {
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
    orthonormalise(axes, dim, 1);
    const std::vector<float> rounded = as_floats(axes);
    axes = products({rounded.data(), count, dim}, {moments.data(), dim, dim});
  }
  lengths = orthonormalise(axes, dim, 2);
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

// ‖PPᵀ − 1‖ of the first `size` of axes whose products are given, row by row.
double not_orthonormal(const std::vector<double>& products, int64_t axes, int64_t size) {
  double squares = 0;
  for (int64_t i = 0; i < size; ++i)
    for (int64_t j = 0; j < size; ++j) squares += std::pow(products[i * axes + j] - (i == j ? 1 : 0), 2);
  return std::sqrt(squares) * (1 + 1e-9);
}

// The vectors of `count` pieces of the set.
std::vector<float> pieces_of(const UnitRows& set, int64_t length, int64_t count) {
  std::vector<float> values;
  for (const int64_t begin : places(set.size(), length, count))
    for (int64_t i = begin; i < begin + length; ++i) append(set, i, values);
  return values;
}

// The threshold from which on the filter leaves the tile out, by bisection: its own errors count.
double level_of_tile(const FilterKernel& kernel, const FilterVectors& rows, int64_t group,
                     const FilterVectors& columns, int64_t panel, double slack) {
  double passes = -2, left_out = 2;
  while (left_out - passes > 1e-3) {
    const double middle = (passes + left_out) / 2;
    std::array<double, kFilterRows> thresholds;
    thresholds.fill(middle - slack);
    FilterMasks masks;
    (filter_tile(kernel, rows, group, columns, panel, thresholds, masks) ? passes : left_out) = middle;
  }
  return left_out;
}

// Of tiles with these levels, at these thresholds.
double share_passing(const std::vector<double>& levels, std::span<const double> thresholds) {
  double passing = 0;
  for (const double threshold : thresholds)
    passing += static_cast<double>(levels.end() - std::ranges::lower_bound(levels, threshold));
  return passing / static_cast<double>(levels.size() * thresholds.size());
}

// Of a tile, in whole products, where this share of the tiles is not left out: pairs that pass are scored one by
// one as long as they are two (processor_rows.cc), else all are looked at. Their numbers are Poisson's.
double cost_of_passing(double share) {
  const double none = 1 - share, mean = -std::log(std::max(none, 1e-12));
  const double one = mean * none, two = mean / 2 * one;
  return (one + 2 * two) * kPairCost + (share - one - two);
}

}  // namespace

std::unique_ptr<LeadingAxes> LeadingAxes::find(const ScoreMatrix& matrix, const FilterKernel& kernel) {
  const int64_t dim = matrix.rows.dim();
  const double pairs = static_cast<double>(matrix.rows.size()) * static_cast<double>(matrix.columns.size());
  if (!kernel.int8() || dim < kLeastDim || dim > kMostDim || pairs < static_cast<double>(kLeastPairs * dim))
    return nullptr;
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
  std::vector<float> sample = pieces_of(matrix.rows, 1, kSample / 2);
  const std::vector<float> of_columns = pieces_of(matrix.columns, 1, kSample / 2);
  sample.insert(sample.end(), of_columns.begin(), of_columns.end());
  axes_ = principal_axes(sample, dim_, most);
  const MatrixView view{axes_.data(), most, dim_};
  const std::vector<double> gram = products(view, view);
  for (const int64_t size : sizes) {
    const double epsilon = not_orthonormal(gram, most, size - kRestValues);
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
    double squares = rest_slack + score(unit.row(i), unit.row(i));
    for (int64_t k = 0; k < num_axes; ++k) {
      leading[k] = static_cast<float>(coordinates[k * unit.rows + i]);
      squares -= double{leading[k]} * double{leading[k]};
    }
    std::fill_n(leading + num_axes, kRestValues, norm_bound(std::max(0.0, squares)) / 2);
  }
  return out;
}

std::vector<double> LeadingAxes::levels_of_tiles(const ScoreMatrix& matrix, const FilterKernel& kernel,
                                                 const Look& look) const {
  const auto packed = [&](FilterVectors::Side side, const std::vector<float>& unit) {
    const MatrixView view{unit.data(), std::ssize(unit) / dim_, dim_};
    return filter_vectors(kernel, side, vectors(view, look.size), look.size);
  };
  const FilterVectors rows = packed(FilterVectors::Side::kRows, pieces_of(matrix.rows, kFilterRows, kGroups));
  const FilterVectors columns =
      packed(FilterVectors::Side::kColumns, pieces_of(matrix.columns, kFilterColumns, kPanels));
  std::vector<double> levels;
  for (int64_t group = 0; group < rows.num_groups(); ++group)
    for (int64_t panel = 0; panel < columns.num_groups(); ++panel)
      levels.push_back(level_of_tile(kernel, rows, group, columns, panel, slack(look.size)));
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
    const double cost = static_cast<double>(look.size) * per_value + kTileCost +
                        cost_of_passing(share_passing(look.levels, thresholds)) * static_cast<double>(dim_);
    if (cost < least) std::tie(least, best) = std::pair(cost, look.size);
  }
  return best;
}

}  // namespace uir
