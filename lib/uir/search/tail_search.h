// Tail search: the N best scores of a set of pairs, exact with ties, over any number of pairs in memory that
// does not grow with it. What a threshold at a false-acceptance rate of 1e-9 needs.
//
// All threads share a running threshold, the N-th best score so far; pairs below it are left out. The result
// is the multiset of all scores that are at least the N-th best one, as distinct scores with how often each
// occurs: however many pairs tie at the N-th score, at most N distinct scores are kept.
// Cost: that of scan_pairs(), which rescores some N·ln(pairs / N) pairs, times what the filter's bound lets
// through. Memory: 16 bytes per distinct score that is kept, 64 while they are sorted, and as much per thread
// for what its block holds; N is at most kMaxTail.
// Errors: those of scan_pairs(); N above kMaxTail is kConfig. Threads: those of PairSearch.
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

struct ScoreCount {
  double score = 0;
  int64_t count = 0;
  bool operator==(const ScoreCount&) const = default;
};

// The N best of the scores that were added. One thread.
class TopScores {
 public:
  explicit TopScores(int64_t n);  // n >= 1; above kMaxTail kConfig
  // A score (not NaN) that was seen `count` times. Amortised O(log n).
  void add(double score, int64_t count = 1) {
    if (score < threshold_) return;
    pending_.push_back({score, count});
    if (pending_.size() >= capacity_) compact();
  }
  void merge(const TopScores& other);
  // Scores below it are not among the N best; −infinity while fewer than N are known. It lags behind what was
  // added.
  double threshold() const { return threshold_; }
  // All scores >= the N-th best, descending, each with its number; all there are when they are fewer than N.
  const std::vector<ScoreCount>& scores();
  int64_t n() const { return n_; }
  // The most memory that the N best take: what is kept, what is pending (a vector grows by doubling), and
  // both merged.
  static int64_t bytes(int64_t n) {
    return static_cast<int64_t>(sizeof(ScoreCount)) * 5 * std::max<int64_t>(n, kLeastPending);
  }

 private:
  static constexpr int64_t kLeastPending = 256;
  void compact();

  int64_t n_;
  size_t capacity_;
  double threshold_ = -std::numeric_limits<double>::infinity();
  std::vector<ScoreCount> kept_, pending_;
};

// Whether a pair counts; empty: all do. Called on any thread, and again for a pair that is looked at again.
using PairWanted = std::function<bool(int64_t row, int64_t column)>;

class TailSearch : public MergeableSearch {
 public:
  // `name` tells searches with different `wanted` apart in saved states.
  TailSearch(int64_t n, std::string name, PairWanted wanted = nullptr);
  // Of the committed blocks, as TopScores::scores(). Not during a scan.
  const std::vector<ScoreCount>& scores() { return best_.scores(); }

  std::unique_ptr<Block> begin(RowRange rows, RowRange columns) override;
  void commit(Block& block) override;
  std::string save() const override;
  void merge(std::string_view saved) override;
  std::string settings() const override;
  int64_t bytes() const override { return TopScores::bytes(best_.n()); }
  int64_t block_bytes(int64_t rows, int64_t columns) const override {
    return TopScores::bytes(std::min(rows * columns, best_.n()));
  }

 private:
  class Part;
  TopScores best_;
  std::atomic<double> threshold_;  // of all threads, blocks that are not committed included
  std::string name_;
  PairWanted wanted_;
};

// Raises a threshold to a value, unless it is as high already; any number of threads at once.
void raise(std::atomic<double>& threshold, double value);

}  // namespace uir
