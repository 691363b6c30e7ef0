// The exact part of a scan (pair_scan.h): scores the pairs of one block that passed the filter, and hands
// them to the block's search.
//
// Scores are those of score(), canonical.h, to the bit. Pairs of one row that come one after the other are
// scored a few at a time, which is several times as fast as one by one. One thread. Cost: 0.3 µs (AVX-512) a
// pair of 512 values.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "uir/search/block_plan.h"
#include "uir/search/exact_scores.h"
#include "uir/search/pair_filter.h"
#include "uir/search/pair_search.h"
#include "uir/search/unit_rows.h"

namespace uir {

class PairScorer {
 public:
  // columns: [n, dim] canonical vectors, those of columns first_column, first_column + 1, …; they, `rows` and
  // `block` must outlive it. Of one set only pairs with row < column are scored.
  PairScorer(const UnitRows& rows, const float* columns, int64_t first_column, PairsOf pairs,
             PairSearch::Block& block);

  // Takes a pair that passed. It waits until there are a few of its row, or until finish().
  void add(int64_t row, int64_t column);
  // Takes the pairs of a tile whose bits are set, and finishes.
  void add(int64_t first_row, int64_t first_column, const FilterMasks& masks);
  // Scores the pairs that wait. Must be called before thresholds are asked for again.
  void finish();
  int64_t num_scored() const { return num_scored_; }

 private:
  static constexpr size_t kTogether = kSpread;

  const UnitRows& rows_;
  const float* const columns_;
  const int64_t first_column_;
  const PairsOf pairs_;
  PairSearch::Block& block_;
  std::vector<float> row_;  // the vector of row_number_
  int64_t row_number_ = -1, num_scored_ = 0;
  size_t waiting_ = 0;
  std::array<const float*, kTogether> vectors_;
  std::array<int64_t, kTogether> numbers_;
};

}  // namespace uir
