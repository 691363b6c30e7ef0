// filtered_rows.h by the processor's kernels.
#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "uir/base/parallel.h"
#include "uir/search/filtered_rows.h"
#include "uir/search/leading_axes.h"
#include "uir/search/pair_scorer.h"

namespace uir {
namespace {

constexpr int64_t kCacheBytes = 256 << 10;  // of rows that stay in the second-level cache
constexpr int64_t kRowsAtOnce = 1024;       // that a thread packs
constexpr int kScoredAtOnce = 2;            // pairs of a tile that cost less than the tile's second look

int count(const FilterMasks& masks) {
  int pairs = 0;
  for (const uint64_t mask : masks) pairs += std::popcount(mask);
  return pairs;
}

class ProcessorRows : public FilteredRows {
 public:
  ProcessorRows(const ScoreMatrix& matrix, RowRange range, const FilterKernel& kernel,
                const LeadingAxes* axes, int threads)
      : matrix_(matrix),
        range_(range),
        kernel_(kernel),
        axes_(axes),
        rows_(kernel, FilterVectors::Side::kRows, range.size(), matrix.rows.dim()),
        part_groups_(
            std::max<int64_t>(1, kCacheBytes / std::max<int64_t>(1, rows_.bytes() / rows_.num_groups()))),
        leading_(static_cast<size_t>((rows_.num_groups() + part_groups_ - 1) / part_groups_)) {
    parallel_blocks(range.size(), kRowsAtOnce, threads, [&](int64_t begin, int64_t end) {
      std::vector<float> unit(static_cast<size_t>(matrix_.rows.dim()));
      for (int64_t i = begin; i < end; ++i) {
        matrix_.rows.read(range_.begin + i, unit);
        rows_.set(i, unit);
      }
    });
  }

  int64_t scan(RowRange range, PairSearch::Block& found) const override {
    const int64_t dim = matrix_.columns.dim();
    const std::vector<float> unit = unit_vectors(matrix_.columns, range);
    const FilterVectors columns = filter_vectors(kernel_, FilterVectors::Side::kColumns, unit, dim);
    PairScorer scorer(matrix_.rows, unit.data(), range.begin, matrix_.pairs, found);
    FirstLook look{leading_size(range, found)};
    if (look.size > 0) {
      look.columns.emplace(leading_vectors(FilterVectors::Side::kColumns, unit, look.size));
      look.slack = axes_->slack(look.size);
    }

    // A panel of columns stays in the first-level cache while some groups of rows, which stay in the second,
    // pass by.
    const int64_t groups = rows_.num_groups();
    for (int64_t first = 0; first < groups; first += part_groups_) {
      const int64_t end = std::min(groups, first + part_groups_);
      look.rows = look.size > 0 ? leading_rows(first / part_groups_, look.size) : nullptr;
      for (int64_t panel = 0; panel < columns.num_groups(); ++panel) {
        for (int64_t g = first; g < end; ++g) scan_tile(g, range, columns, panel, look, found, scorer);
      }
    }
    return scorer.num_scored();
  }

 private:
  // At the leading vectors of some groups of rows.
  struct FirstLook {
    int64_t size = 0;  // of a vector; 0: no look
    std::optional<FilterVectors> columns{};
    const FilterVectors* rows = nullptr;  // null: no look at these
    double slack = 0;
  };
  // Made when a scan first needs them, by one thread; others go on without a look meanwhile.
  struct LeadingPart {
    enum State { kMissing, kBeingMade, kThere };
    std::atomic<State> state{kMissing};
    std::optional<FilterVectors> rows;
  };

  // One for all scans of these rows, as soon as the thresholds are high enough for one that pays.
  int64_t leading_size(RowRange columns, PairSearch::Block& found) const {
    constexpr int64_t kGroupsAsked = 32;
    if (!axes_) return 0;
    if (const int64_t decided = leading_size_; decided > 0) return decided;
    std::vector<double> least;
    const int64_t groups = rows_.num_groups(), step = std::max<int64_t>(1, groups / kGroupsAsked);
    for (int64_t g = 0; g < groups; g += step) {
      std::array<double, kFilterRows> thresholds;
      const RowRange rows = rows_of(g);
      const auto asked = std::span(thresholds).first(static_cast<size_t>(rows.size()));
      found.thresholds(rows, columns, asked);
      least.push_back(std::ranges::min(asked));
    }
    int64_t undecided = 0;
    leading_size_.compare_exchange_strong(undecided,
                                          axes_->best_size(least, range_.size(), matrix_.columns.size()));
    return leading_size_;
  }

  FilterVectors leading_vectors(FilterVectors::Side side, const std::vector<float>& unit,
                                int64_t size) const {
    const int64_t dim = matrix_.rows.dim(), n = std::ssize(unit) / dim;
    return filter_vectors(kernel_, side, axes_->vectors({unit.data(), n, dim}, size), size);
  }

  const FilterVectors* leading_rows(int64_t number, int64_t size) const {
    LeadingPart& part = leading_[static_cast<size_t>(number)];
    auto state = LeadingPart::kMissing;
    if (part.state.compare_exchange_strong(state, LeadingPart::kBeingMade)) {
      const int64_t begin = range_.begin + number * part_groups_ * kFilterRows;
      const int64_t end = std::min(range_.end, begin + part_groups_ * kFilterRows);
      part.rows.emplace(
          leading_vectors(FilterVectors::Side::kRows, unit_vectors(matrix_.rows, {begin, end}), size));
      part.state = state = LeadingPart::kThere;
    }
    return state == LeadingPart::kThere ? &*part.rows : nullptr;
  }

  RowRange rows_of(int64_t group) const {
    const int64_t begin = range_.begin + group * kFilterRows;
    return {begin, std::min(range_.end, begin + kFilterRows)};
  }

  bool passes(const FirstLook& look, int64_t group, int64_t panel, std::array<double, kFilterRows> thresholds,
              FilterMasks& masks) const {
    for (double& threshold : thresholds) threshold -= look.slack;
    return filter_tile(kernel_, *look.rows, group % part_groups_, *look.columns, panel, thresholds, masks);
  }

  void scan_tile(int64_t group, RowRange range, const FilterVectors& columns, int64_t panel,
                 const FirstLook& look, PairSearch::Block& found, PairScorer& scorer) const {
    const auto [first_row, end_row] = rows_of(group);
    const int64_t first_column = range.begin + panel * kFilterColumns;
    const int64_t end_column = std::min(range.end, first_column + kFilterColumns);
    if (matrix_.pairs == PairsOf::kOneSet && first_row >= end_column - 1) return;
    std::array<double, kFilterRows> thresholds;
    thresholds.fill(std::numeric_limits<double>::infinity());
    found.thresholds({first_row, end_row}, {first_column, end_column},
                     std::span(thresholds).first(static_cast<size_t>(end_row - first_row)));
    FilterMasks masks;
    if (look.rows) {
      if (!passes(look, group, panel, thresholds, masks)) return;
      if (count(masks) <= kScoredAtOnce) return scorer.add(first_row, first_column, masks);
    }
    if (!filter_tile(kernel_, rows_, group, columns, panel, thresholds, masks)) return;
    scorer.add(first_row, first_column, masks);
  }

  const ScoreMatrix matrix_;
  const RowRange range_;
  const FilterKernel kernel_;
  const LeadingAxes* axes_;
  FilterVectors rows_;
  const int64_t part_groups_;  // that stay in the cache
  mutable std::vector<LeadingPart> leading_;
  mutable std::atomic<int64_t> leading_size_{0};
};

}  // namespace

std::unique_ptr<FilteredRows> rows_on_processor(const ScoreMatrix& matrix, RowRange rows,
                                                const FilterKernel& kernel, const LeadingAxes* axes,
                                                int threads) {
  return std::make_unique<ProcessorRows>(matrix, rows, kernel, axes, threads);
}

std::vector<float> unit_vectors(const UnitRows& of, RowRange range) {
  const auto dim = static_cast<size_t>(of.dim());
  std::vector<float> unit(static_cast<size_t>(range.size()) * dim);
  for (int64_t i = 0; i < range.size(); ++i)
    of.read(range.begin + i, std::span(unit).subspan(static_cast<size_t>(i) * dim, dim));
  return unit;
}

}  // namespace uir
