// Groups of images of one set that are nearly the same: two rows whose score reaches a threshold are in one
// group, and so are those that a chain of such pairs joins.
//
// Exact: the groups are those of a float64 brute force over all pairs. Cost: that of scan_pairs() over N²/2
// pairs; pairs that are joined already are not scored again. Memory: 8 bytes per row.
// Errors: those of scan_pairs().
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "uir/search/pair_scan.h"

namespace uir {

class NearDuplicateSearch : public MergeableSearch {
 public:
  NearDuplicateSearch(int64_t rows, double threshold);
  // [N]: the first row of each row's group; its own number for a row without a near-duplicate.
  std::vector<int64_t> first_of_group() const;

  std::unique_ptr<Block> begin(RowRange rows, RowRange columns) override;
  void commit(Block&) override {}
  std::string save() const override;
  void merge(std::string_view saved) override;
  std::string settings() const override;
  int64_t bytes() const override { return 8 * static_cast<int64_t>(parents_.size()); }
  int64_t block_bytes(int64_t, int64_t) const override { return 0; }

 private:
  class Part;
  int64_t find(int64_t row) const;
  void unite(int64_t a, int64_t b);  // twice is as once

  double threshold_;
  std::vector<std::atomic<int64_t>> parents_;  // never a later row: the root of a group is its first row
};

std::vector<int64_t> near_duplicates(const UnitRows& rows, double threshold,
                                     const DividedScanOptions& options = {});

}  // namespace uir
