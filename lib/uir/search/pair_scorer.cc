#include "uir/search/pair_scorer.h"

#include <bit>
#include <span>

#include "uir/search/canonical.h"

namespace uir {

PairScorer::PairScorer(const UnitRows& rows, const float* columns, int64_t first_column, PairsOf pairs,
                       PairSearch::Block& block)
    : rows_(rows),
      columns_(columns),
      first_column_(first_column),
      pairs_(pairs),
      block_(block),
      row_(static_cast<size_t>(rows.dim())) {}

void PairScorer::add(int64_t first_row, int64_t first_column, const FilterMasks& masks) {
  for (int64_t r = 0; r < kFilterRows; ++r) {
    for (uint64_t mask = masks[r]; mask != 0; mask &= mask - 1) {
      add(first_row + r, first_column + std::countr_zero(mask));
    }
  }
  finish();
}

void PairScorer::add(int64_t row, int64_t column) {
  if (pairs_ == PairsOf::kOneSet && column <= row) return;
  if (row != row_number_ || waiting_ == kTogether) finish();
  if (!block_.wants(row, column)) return;
  if (row != row_number_) rows_.read(row_number_ = row, row_);
  vectors_[waiting_] = columns_ + (column - first_column_) * static_cast<int64_t>(row_.size());
  numbers_[waiting_++] = column;
}

void PairScorer::finish() {
  if (waiting_ == 0) return;
  std::array<double, kTogether> found;
  if (waiting_ == 1) {
    found[0] = score(row_, {vectors_[0], row_.size()});
  } else {
    scores(row_, std::span(vectors_).first(waiting_), found);
  }
  for (size_t k = 0; k < waiting_; ++k) block_.add(row_number_, numbers_[k], found[k]);
  num_scored_ += static_cast<int64_t>(waiting_);
  waiting_ = 0;
}

}  // namespace uir
