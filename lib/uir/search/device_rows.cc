// filtered_rows.h by products on a device. The rows go there once; each block's columns follow them, and
// while one thread waits for its products another makes vectors or scores.
#include <algorithm>
#include <utility>

#include "uir/base/parallel.h"
#include "uir/search/block_sizes.h"
#include "uir/search/filtered_rows.h"
#include "uir/search/pair_scorer.h"

namespace uir {
namespace {

constexpr int64_t kRowsAtOnce = 1024;  // that are made for a row block

// A share of the part, so that what passes pays for the products; but small parts are not cut.
int64_t most_at_once(RowRange rows, RowRange columns) {
  constexpr int64_t kSmallPart = 4096, kShare = 64;
  const int64_t pairs = rows.size() * columns.size();
  return pairs <= kSmallPart ? pairs : std::min(kMostFound, std::max(kSmallPart, pairs / kShare));
}

class DeviceRows : public FilteredRows {
 public:
  DeviceRows(const ScoreMatrix& matrix, RowRange range, const BlockFilter& device, int64_t product_rows,
             int64_t column_block, int threads)
      : matrix_(matrix),
        range_(range),
        device_(device),
        product_rows_(product_rows),
        rows_(device.make_vectors(range.size(), matrix.rows.dim())) {
    const int64_t at_once = std::min<int64_t>(kRowsAtOnce, std::max(kFilterColumns, column_block));
    parallel_blocks(range.size(), at_once, threads, [&](int64_t begin, int64_t end) {
      rows_->set(begin, unit_vectors(matrix_.rows, {range_.begin + begin, range_.begin + end}));
    });
  }

  int64_t scan(RowRange columns, PairSearch::Block& found) const override {
    const std::vector<float> unit = unit_vectors(matrix_.columns, columns);
    const auto loaded = device_.make_vectors(columns.size(), matrix_.columns.dim());
    loaded->set(0, unit);
    PairScorer scorer(matrix_.rows, unit.data(), columns.begin, matrix_.pairs, found);
    for (int64_t first = range_.begin; first < range_.end; first += product_rows_) {
      const RowRange rows{first, std::min(range_.end, first + product_rows_)};
      if (none_counts(rows, columns)) break;
      const auto product =
          device_.multiply(*rows_, shifted(rows, range_.begin), *loaded, {0, columns.size()});
      scan_part(*product, rows, columns, columns.begin, found, scorer);
    }
    return scorer.num_scored();
  }

 private:
  static RowRange shifted(RowRange range, int64_t first) { return {range.begin - first, range.end - first}; }

  bool none_counts(RowRange rows, RowRange columns) const {
    return matrix_.pairs == PairsOf::kOneSet && rows.begin >= columns.end - 1;
  }

  // While thresholds are low nearly all pairs pass; a part of few pairs raises them for the parts that
  // follow.
  void scan_part(const BlockFilter::Product& product, RowRange rows, RowRange columns, int64_t first_column,
                 PairSearch::Block& found, PairScorer& scorer) const {
    if (none_counts(rows, columns)) return;
    std::vector<double> thresholds(static_cast<size_t>(rows.size()));
    found.thresholds(rows, columns, thresholds);
    std::vector<BlockFilter::Pair> passing;
    if (product.passing(shifted(rows, range_.begin), shifted(columns, first_column), thresholds,
                        most_at_once(rows, columns), passing)) {
      for (const BlockFilter::Pair& pair : passing)
        scorer.add(range_.begin + pair.row, first_column + pair.column);
      return scorer.finish();
    }
    const bool by_rows = rows.size() >= columns.size();
    const RowRange cut = by_rows ? rows : columns;
    const int64_t middle = cut.begin + (cut.size() + 1) / 2;
    for (const RowRange half : {RowRange{cut.begin, middle}, RowRange{middle, cut.end}})
      scan_part(product, by_rows ? half : rows, by_rows ? columns : half, first_column, found, scorer);
  }

  const ScoreMatrix matrix_;
  const RowRange range_;
  const BlockFilter& device_;
  const int64_t product_rows_;
  const std::unique_ptr<BlockFilter::DeviceVectors> rows_;
};

}  // namespace

std::unique_ptr<FilteredRows> rows_on_device(const ScoreMatrix& matrix, RowRange rows,
                                             const BlockFilter& device, int64_t product_rows,
                                             int64_t column_block, int threads) {
  return std::make_unique<DeviceRows>(matrix, rows, device, product_rows, column_block, threads);
}

}  // namespace uir
