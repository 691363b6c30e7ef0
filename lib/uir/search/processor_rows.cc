// filtered_rows.h by the processor's kernels.
#include <algorithm>
#include <array>
#include <limits>
#include <span>
#include <utility>

#include "uir/base/parallel.h"
#include "uir/search/filtered_rows.h"
#include "uir/search/pair_scorer.h"

namespace uir {
namespace {

constexpr int64_t kCacheBytes = 256 << 10;  // of rows that stay in the second-level cache
constexpr int64_t kRowsAtOnce = 1024;       // that a thread packs

class ProcessorRows : public FilteredRows {
 public:
  ProcessorRows(const ScoreMatrix& matrix, RowRange range, const FilterKernel& kernel, int threads)
      : matrix_(matrix),
        range_(range),
        kernel_(kernel),
        rows_(kernel, FilterVectors::Side::kRows, range.size(), matrix.rows.dim()) {
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
    FilterVectors columns(kernel_, FilterVectors::Side::kColumns, range.size(), dim);
    for (int64_t c = 0; c < range.size(); ++c)
      columns.set(c, std::span(unit).subspan(static_cast<size_t>(c * dim), static_cast<size_t>(dim)));
    PairScorer scorer(matrix_.rows, unit.data(), range.begin, matrix_.pairs, found);

    // A panel of columns stays in the first-level cache while some groups of rows, which stay in the second,
    // pass by.
    const int64_t groups = rows_.num_groups();
    const int64_t step = std::max<int64_t>(1, kCacheBytes / std::max<int64_t>(1, rows_.bytes() / groups));
    for (int64_t first = 0; first < groups; first += step) {
      for (int64_t panel = 0; panel < columns.num_groups(); ++panel) {
        for (int64_t g = first; g < std::min(groups, first + step); ++g) {
          scan_tile(g, range, columns, panel, found, scorer);
        }
      }
    }
    return scorer.num_scored();
  }

 private:
  void scan_tile(int64_t group, RowRange range, const FilterVectors& columns, int64_t panel,
                 PairSearch::Block& found, PairScorer& scorer) const {
    const int64_t first_row = range_.begin + group * kFilterRows,
                  end_row = std::min(range_.end, first_row + kFilterRows);
    const int64_t first_column = range.begin + panel * kFilterColumns;
    const int64_t end_column = std::min(range.end, first_column + kFilterColumns);
    if (matrix_.pairs == PairsOf::kOneSet && first_row >= end_column - 1) return;
    std::array<double, kFilterRows> thresholds;
    thresholds.fill(std::numeric_limits<double>::infinity());
    found.thresholds({first_row, end_row}, {first_column, end_column},
                     std::span(thresholds).first(static_cast<size_t>(end_row - first_row)));
    FilterMasks masks;
    if (!filter_tile(kernel_, rows_, group, columns, panel, thresholds, masks)) return;
    scorer.add(first_row, first_column, masks);
  }

  const ScoreMatrix matrix_;
  const RowRange range_;
  const FilterKernel kernel_;
  FilterVectors rows_;
};

}  // namespace

std::unique_ptr<FilteredRows> rows_on_processor(const ScoreMatrix& matrix, RowRange rows,
                                                const FilterKernel& kernel, int threads) {
  return std::make_unique<ProcessorRows>(matrix, rows, kernel, threads);
}

std::vector<float> unit_vectors(const UnitRows& of, RowRange range) {
  const auto dim = static_cast<size_t>(of.dim());
  std::vector<float> unit(static_cast<size_t>(range.size()) * dim);
  for (int64_t i = 0; i < range.size(); ++i)
    of.read(range.begin + i, std::span(unit).subspan(static_cast<size_t>(i) * dim, dim));
  return unit;
}

}  // namespace uir
