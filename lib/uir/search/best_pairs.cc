#include "uir/search/best_pairs.h"

#include <algorithm>

#include "uir/base/error.h"

namespace uir {
namespace {

bool better(const RowScore& a, const RowScore& b) {
  return a.score != b.score ? a.score > b.score : a.row < b.row;
}

}  // namespace

BestPairs::BestPairs(int64_t limit) : limit_(limit) {
  ensure(limit >= 1 && limit <= kMaxTail, "1 to kMaxTail pairs are kept");
}

// A scan is not taken up again, so what blocks find need not wait for their end.
class BestPairs::Part : public PairSearch::Block {
 public:
  explicit Part(BestPairs& search) : search_(search) {}
  void thresholds(RowRange, RowRange, std::span<double> thresholds) override {
    std::ranges::fill(thresholds, search_.floor());
  }
  bool wants(int64_t, int64_t) override { return true; }
  void add(int64_t row, int64_t, double score) override {
    if (score < search_.floor()) return;
    found_.push_back({row, score});
    if (std::ssize(found_) == kBuffer) end();
  }
  void end() {
    search_.add(found_);
    found_.clear();
  }

 private:
  BestPairs& search_;
  std::vector<RowScore> found_;
};

std::unique_ptr<PairSearch::Block> BestPairs::begin(RowRange, RowRange) {
  return std::make_unique<Part>(*this);
}

void BestPairs::commit(Block& block) { static_cast<Part&>(block).end(); }

void BestPairs::add(std::vector<RowScore>& found) {
  std::lock_guard lock(mutex_);
  pairs_.insert(pairs_.end(), found.begin(), found.end());
  if (std::ssize(pairs_) >= 2 * limit_ - kBuffer) compact();
}

void BestPairs::add(BestPairs& other, int64_t first_row) {
  for (const RowScore& pair : other.pairs()) pairs_.push_back({pair.row + first_row, pair.score});
  floor_ = std::max(floor(), other.floor());
  compact();
}

void BestPairs::compact() {
  if (std::ssize(pairs_) <= limit_) return;
  std::ranges::nth_element(pairs_, pairs_.begin() + limit_, better);
  floor_ = std::max(floor(), pairs_[static_cast<size_t>(limit_)].score);
  pairs_.resize(static_cast<size_t>(limit_));
}

const std::vector<RowScore>& BestPairs::pairs() {
  compact();
  std::ranges::sort(pairs_, better);
  return pairs_;
}

}  // namespace uir
