// One pass over the ordered pairs of a gallery: which images have a better match (or an equal one) with
// another identity than with their own.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "uir/search/pair_search.h"

namespace uir {

class MismatchSearch : public MergeableSearch {
 public:
  // Per gallery image its label, and its best score with its own identity: −infinity where it has no other
  // image, then the image is not searched for. Both must outlive the search.
  MismatchSearch(const std::vector<int64_t>& labels, const std::vector<double>& own)
      : labels_(labels), own_(own), beaten_(own.size()) {}
  bool beaten(int64_t row) const { return beaten_[row].load(std::memory_order_relaxed); }

  std::unique_ptr<Block> begin(RowRange, RowRange) override;
  void commit(Block&) override {}
  std::string save() const override;
  void merge(std::string_view saved) override;
  std::string settings() const override;
  int64_t bytes() const override { return std::ssize(beaten_); }
  int64_t block_bytes(int64_t, int64_t) const override { return 0; }

 private:
  struct Part;

  const std::vector<int64_t>& labels_;
  const std::vector<double>& own_;
  std::vector<std::atomic<bool>> beaten_;
};

}  // namespace uir
