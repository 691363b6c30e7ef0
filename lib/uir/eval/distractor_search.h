// One pass over gallery x distractors: the best pairs, and the distractors with the best scores.
//
// Of the distractors each one's best score with any gallery image counts. Both are exact with ties: of the
// best n, every one that scores as much as the n-th is known. Threads: as PairSearch asks. Memory: bytes().
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "uir/search/byte_values.h"
#include "uir/search/pair_search.h"
#include "uir/search/tail_search.h"

namespace uir {

// The n columns whose best score is highest: every column with a best score >= the n-th one, however many tie
// there.
class BestColumns {
 public:
  explicit BestColumns(int64_t n) : n_(n) {}
  // Columns whose best score is below it are not among them.
  double threshold() const { return threshold_.load(std::memory_order_relaxed); }
  // One thread at a time. Adding a score again changes nothing.
  void add(int64_t column, double score);
  // Descending; all that are known.
  std::vector<double> scores() const;
  int64_t n() const { return n_; }
  int64_t bytes() const;
  std::string save() const;
  void merge(ByteReader& reader);

 private:
  void cut();
  int64_t growth() const;

  int64_t n_, next_cut_ = n_;
  std::unordered_map<int64_t, double> best_;
  std::atomic<double> threshold_{-std::numeric_limits<double>::infinity()};
};

class DistractorSearch : public MergeableSearch {
 public:
  // How many of the best are wanted; 0 distractors: none.
  DistractorSearch(int64_t pairs, int64_t distractors)
      : pairs_(pairs, "gallery_x_distractors"), distractors_(distractors) {}
  const std::vector<ScoreCount>& pair_scores() { return pairs_.scores(); }
  std::vector<double> distractor_scores() const { return distractors_.scores(); }

  std::unique_ptr<Block> begin(RowRange rows, RowRange columns) override;
  void commit(Block& block) override;
  std::string save() const override;
  void merge(std::string_view saved) override;
  std::string settings() const override;
  int64_t bytes() const override { return pairs_.bytes() + distractors_.bytes(); }
  int64_t block_bytes(int64_t rows, int64_t columns) const override;

 private:
  struct Part;

  TailSearch pairs_;
  BestColumns distractors_;
};

}  // namespace uir
