// The best pairs of a scan, with the rows they belong to: what a threshold on rows needs, where tail_search.h
// keeps scores only.
//
// Result: the pairs with the `limit` highest scores, by score, equal ones by row. Where more pairs tie at
// the last score than fit, some of them are missing: what is above floor() is complete.
// Cost: that of scan_pairs(), which rescores some limit·ln(pairs / limit) pairs. Memory: 32 bytes per kept
// pair.
// Errors: those of scan_pairs(). Threads: those of PairSearch.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <vector>

#include "uir/search/tail_search.h"

namespace uir {

struct RowScore {
  int64_t row = 0;
  double score = 0;
  bool operator==(const RowScore&) const = default;
};

class BestPairs : public PairSearch {
 public:
  explicit BestPairs(int64_t limit);  // 1 … kMaxTail

  // Adds what another search with the same limit found, its rows moved up by `first_row`.
  void add(BestPairs& other, int64_t first_row);
  const std::vector<RowScore>& pairs();  // not during a scan
  // Every pair that scores more is in pairs(); −infinity: all pairs are.
  double floor() const { return floor_; }

  std::unique_ptr<Block> begin(RowRange rows, RowRange columns) override;
  void commit(Block& block) override;
  int64_t bytes() const override { return 2 * limit_ * static_cast<int64_t>(sizeof(RowScore)); }
  int64_t block_bytes(int64_t, int64_t) const override {
    return kBuffer * static_cast<int64_t>(sizeof(RowScore));
  }

 private:
  static constexpr int64_t kBuffer = 1024;  // pairs that a block adds at a time
  class Part;
  void add(std::vector<RowScore>& found);
  void compact();

  int64_t limit_;
  std::mutex mutex_;
  std::vector<RowScore> pairs_;
  std::atomic<double> floor_ = -std::numeric_limits<double>::infinity();
};

}  // namespace uir
