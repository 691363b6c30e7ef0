// The best k columns of every row, exact: by score, equal scores by column number. For identification and
// retrieval.
//
// Rows [M, D], columns [N, D]. Cost: that of scan_pairs(); some k·ln(N / k) pairs per row are scored exactly.
// Memory: 16·k + 16 bytes per row. Errors: those of scan_pairs(). Threads: those of PairSearch.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "uir/search/tail_search.h"

namespace uir {

struct Neighbour {
  int64_t column = -1;
  double score = 0;
  bool operator==(const Neighbour&) const = default;
};

class TopKSearch : public MergeableSearch {
 public:
  // rows: as many as are scanned; k >= 1. `name` tells searches with different `wanted` apart in saved
  // states.
  TopKSearch(int64_t rows, int64_t k, std::string name, PairWanted wanted = nullptr);
  // Best first; fewer than k where there are no more. Not during a scan; valid while this lives.
  std::span<const Neighbour> row(int64_t row) const;
  // Of a scan that is not its own; twice is as once. Any number of threads.
  void add(int64_t row, Neighbour found) {
    if (found.score >= thresholds_[static_cast<size_t>(row)].load(std::memory_order_relaxed))
      insert(row, found);
  }

  std::unique_ptr<Block> begin(RowRange rows, RowRange columns) override;
  void commit(Block&) override {}
  std::string save() const override;
  void merge(std::string_view saved) override;
  std::string settings() const override;
  int64_t bytes() const override { return rows_ * (k_ * static_cast<int64_t>(sizeof(Neighbour)) + 16); }
  int64_t block_bytes(int64_t, int64_t) const override { return 0; }

 private:
  class Part;
  void insert(int64_t row, Neighbour found);

  int64_t rows_, k_;
  std::string name_;
  PairWanted wanted_;
  std::vector<Neighbour> best_;  // [rows, k]
  std::vector<int64_t> sizes_;
  std::vector<std::atomic<double>> thresholds_;  // the score of a full row's last
  mutable std::array<std::mutex, 64> mutexes_;   // of rows, in turn
};

// Result [M]: up to k neighbours of each row.
std::vector<std::vector<Neighbour>> top_k(const UnitRows& rows, const UnitRows& columns, int64_t k,
                                          const PairWanted& wanted = nullptr,
                                          const ScanOptions& options = {});

}  // namespace uir
