// One pass over the ordered pairs of a gallery: which images have a better match (or an equal one) with
// another person than with their own, and whether that is one person only.
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
  // Per gallery image its person, from 0, and its best score with that one: −infinity where it has no other
  // image, then the image is not searched for. Both must outlive the search.
  MismatchSearch(const std::vector<int64_t>& people, const std::vector<double>& own)
      : people_(people), own_(own), beater_(own.size()) {
    for (auto& beater : beater_) beater.store(kNobody, std::memory_order_relaxed);
  }
  // Whose images match better; kSeveral: more than one person's.
  static constexpr int64_t kNobody = -1, kSeveral = -2;
  int64_t beater(int64_t row) const {
    return beater_[static_cast<size_t>(row)].load(std::memory_order_relaxed);
  }

  std::unique_ptr<Block> begin(RowRange, RowRange) override;
  void commit(Block&) override {}
  std::string save() const override;
  void merge(std::string_view saved) override;
  std::string settings() const override;
  int64_t bytes() const override { return std::ssize(beater_) * 8; }
  int64_t block_bytes(int64_t, int64_t) const override { return 0; }

 private:
  struct Part;

  void add(int64_t row, int64_t beater);

  const std::vector<int64_t>& people_;
  const std::vector<double>& own_;
  std::vector<std::atomic<int64_t>> beater_;
};

}  // namespace uir
