// Tail search: the N best pairs of a set of pairs, with their rows, exact, over any number of pairs in memory
// that does not grow with it. What a threshold at a false-acceptance rate of 1e-9 needs, and whose it is.
//
// All threads share a running threshold, the N-th best score so far; pairs below it are left out. Of pairs
// that score alike those of lower rows are better, then of lower columns: the result is the same for any
// number of threads, and N pairs at most, however many tie at the N-th score.
// Cost: that of scan_pairs(), which rescores some N·ln(pairs / N) pairs, times what the filter's bound lets
// through. Memory: 16 bytes per pair that is kept, 64 while they are sorted, and as much per thread for what
// its block holds; N is at most kMaxTail.
// Errors: those of scan_pairs(); N above kMaxTail is kConfig. Rows and columns have numbers below 2^32 (else
// kInternal). Threads: those of PairSearch.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "uir/search/pair_scan.h"

namespace uir {

inline constexpr int64_t kMaxTail = int64_t{1} << 23;

struct TailPair {
  double score = 0;
  uint32_t row = 0, column = 0;
  bool operator==(const TailPair&) const = default;
};

// The N best of the pairs that were added, each once. One thread.
class TopPairs {
 public:
  explicit TopPairs(int64_t n);  // n >= 1; above kMaxTail kConfig
  // A score that is not NaN. Amortised O(log n).
  void add(const TailPair& pair) {
    if (pair.score < threshold_) return;
    pending_.push_back(pair);
    if (pending_.size() >= capacity_) compact();
  }
  void merge(const TopPairs& other);
  // Scores below it are not among the N best; −infinity while fewer than N are known. It lags behind what was
  // added.
  double threshold() const { return threshold_; }
  // The best first; all there are when they are fewer than N.
  const std::vector<TailPair>& pairs();
  int64_t n() const { return n_; }
  // The most memory that the N best take: what is kept, what is pending (a vector grows by doubling), and
  // both merged.
  static int64_t bytes(int64_t n) {
    return static_cast<int64_t>(sizeof(TailPair)) * 5 * std::max<int64_t>(n, kLeastPending);
  }

 private:
  static constexpr int64_t kLeastPending = 256;
  void compact();

  int64_t n_;
  size_t capacity_;
  double threshold_ = -std::numeric_limits<double>::infinity();
  std::vector<TailPair> kept_, pending_;
};

// Whether a pair counts; empty: all do. Called on any thread, and again for a pair that is looked at again.
using PairWanted = std::function<bool(int64_t row, int64_t column)>;

class TailSearch : public MergeableSearch {
 public:
  // `name` tells searches with different `wanted` apart in saved states.
  TailSearch(int64_t n, std::string name, PairWanted wanted = nullptr);
  // Of the committed blocks, as TopPairs::pairs(). Not during a scan.
  const std::vector<TailPair>& pairs() { return best_.pairs(); }

  std::unique_ptr<Block> begin(RowRange rows, RowRange columns) override;
  void commit(Block& block) override;
  std::string save() const override;
  void merge(std::string_view saved) override;
  std::string settings() const override;
  int64_t bytes() const override { return TopPairs::bytes(best_.n()); }
  int64_t block_bytes(int64_t rows, int64_t columns) const override {
    return TopPairs::bytes(std::min(rows * columns, best_.n()));
  }

 private:
  class Part;
  TopPairs best_;
  std::atomic<double> threshold_;  // of all threads, blocks that are not committed included
  std::string name_;
  PairWanted wanted_;
};

// Raises a threshold to a value, unless it is as high already; any number of threads at once.
void raise(std::atomic<double>& threshold, double value);

}  // namespace uir
