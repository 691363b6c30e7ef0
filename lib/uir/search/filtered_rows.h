// The rows of a row block, loaded where a filter of low precision looks through their pairs with any columns:
// in the layout of the processor's kernels (pair_filter.h), or on a device (block_filter.h).
//
// Whatever the filter, the search is given every pair that reaches its row's threshold, with its exact score.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "uir/base/row_range.h"
#include "uir/search/block_filter.h"
#include "uir/search/block_plan.h"
#include "uir/search/pair_filter.h"
#include "uir/search/pair_search.h"
#include "uir/search/unit_rows.h"

namespace uir {

// The score matrix that is scanned. The sets must outlive it.
struct ScoreMatrix {
  const UnitRows& rows;
  const UnitRows& columns;  // of the same dimension; of one set the rows
  PairsOf pairs;
};

class FilteredRows {
 public:
  virtual ~FilteredRows() = default;
  // Gives `found` the pairs of the rows with these columns; returns how many of them were scored exactly.
  // kData for a column without a direction. Threads: several at once, each with a block of its own.
  virtual int64_t scan(RowRange columns, PairSearch::Block& found) const = 0;
};

class LeadingAxes;

// Both read and load the rows of the range on `threads` threads; kData for a row without a direction. The
// matrix, and the device's filter, must outlive the result, as the axes of a first look, if there are any.
std::unique_ptr<FilteredRows> rows_on_processor(const ScoreMatrix& matrix, RowRange rows,
                                                const FilterKernel& kernel, const LeadingAxes* axes,
                                                int threads);
// Products of at most product_rows rows; the rows are loaded by as many at once as column_block, which bounds
// the memory.
std::unique_ptr<FilteredRows> rows_on_device(const ScoreMatrix& matrix, RowRange rows,
                                             const BlockFilter& device, int64_t product_rows,
                                             int64_t column_block, int threads);

// [range.size(), dim]: canonical vectors of the range.
std::vector<float> unit_vectors(const UnitRows& of, RowRange range);

}  // namespace uir
