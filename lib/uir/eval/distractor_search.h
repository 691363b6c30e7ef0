// One pass over gallery x distractors: the best pairs, and the distractors with the best scores.
//
// Of the distractors each one's best score with any gallery image counts, whose that is, and the best score
// with anyone else: what a person who leaves the gallery would change. Exact with ties: of the best n, every
// one that scores as much as the n-th is known. Threads: as PairSearch asks. Memory: bytes().
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "uir/eval/identification_uncertainty.h"
#include "uir/search/byte_values.h"
#include "uir/search/pair_search.h"
#include "uir/search/tail_search.h"

namespace uir {

// The n columns whose best score is highest: every column with a best score >= the n-th one, however many tie
// there. Second scores are right as far as they are above threshold().
class BestColumns {
 public:
  explicit BestColumns(int64_t n) : n_(n) {}
  // Columns whose best score is below it are not among them.
  double threshold() const { return threshold_.load(std::memory_order_relaxed); }
  // One thread at a time. Adding a score again changes nothing.
  void add(int64_t column, const OtherScores& scores);
  struct Column {
    int64_t column = 0;
    OtherScores scores;
  };
  // By best score, descending, then by number; all that are known.
  std::vector<Column> columns() const;
  int64_t n() const { return n_; }
  int64_t bytes() const;
  std::string save() const;
  void merge(ByteReader& reader);

 private:
  void cut();
  int64_t growth() const;

  int64_t n_, next_cut_ = n_;
  std::unordered_map<int64_t, OtherScores> best_;
  std::atomic<double> threshold_{-std::numeric_limits<double>::infinity()};
};

class DistractorSearch : public MergeableSearch {
 public:
  // How many of the best are wanted; 0 distractors: none. people: of the gallery's rows; they outlive this.
  DistractorSearch(int64_t pairs, int64_t distractors, const std::vector<int64_t>& people)
      : pairs_(pairs, "gallery_x_distractors"), distractors_(distractors), people_(people) {}
  const std::vector<TailPair>& pairs() { return pairs_.pairs(); }
  std::vector<BestColumns::Column> distractors() const { return distractors_.columns(); }

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
  const std::vector<int64_t>& people_;
};

}  // namespace uir
