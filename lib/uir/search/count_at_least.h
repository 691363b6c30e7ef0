// Of each row the number of columns that score at least as high as the row's own score: how many people a
// probe resembles more than its own.
//
// Cost: that of scan_pairs(), which rescores the pairs that count. Memory: 16 bytes per row. Errors: those of
// scan_pairs(). Threads: those of PairSearch.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "uir/search/tail_search.h"

namespace uir {

class CountAtLeast : public PairSearch {
 public:
  CountAtLeast(std::vector<double> own, PairWanted wanted)
      : own_(std::move(own)), wanted_(std::move(wanted)), counts_(own_.size()) {}
  int64_t count(size_t row) const { return counts_[row]; }

  std::unique_ptr<Block> begin(RowRange, RowRange) override { return std::make_unique<Part>(*this); }
  void commit(Block&) override {}
  int64_t bytes() const override { return 16 * std::ssize(own_); }
  int64_t block_bytes(int64_t, int64_t) const override { return 0; }

 private:
  class Part : public Block {
   public:
    explicit Part(CountAtLeast& search) : search_(search) {}
    void thresholds(RowRange rows, RowRange, std::span<double> thresholds) override {
      std::copy_n(search_.own_.begin() + rows.begin, rows.size(), thresholds.begin());
    }
    bool wants(int64_t row, int64_t column) override { return search_.wanted_(row, column); }
    void add(int64_t row, int64_t, double score) override {
      const auto i = static_cast<size_t>(row);
      if (score >= search_.own_[i]) ++search_.counts_[i];
    }

   private:
    CountAtLeast& search_;
  };

  std::vector<double> own_;
  PairWanted wanted_;
  std::vector<std::atomic<int64_t>> counts_;
};

}  // namespace uir
