#include "uir/search/tail_search.h"

#include <algorithm>
#include <tuple>

#include "uir/base/error.h"
#include "uir/search/byte_values.h"

namespace uir {

namespace {

bool better(const TailPair& a, const TailPair& b) {
  return std::tie(b.score, a.row, a.column) < std::tie(a.score, b.row, b.column);
}

}  // namespace

TopPairs::TopPairs(int64_t n) : n_(n), capacity_(static_cast<size_t>(std::max(n, kLeastPending))) {
  ensure(n >= 1, "a tail has at least one pair");
  if (n > kMaxTail) {
    fail(ErrorKind::kConfig, "the ", n, " best pairs decide this rate; at most ", kMaxTail,
         " are kept: choose a lower rate, or the protocol all_pairs");
  }
}

void TopPairs::merge(const TopPairs& other) {
  for (const auto* pairs : {&other.kept_, &other.pending_}) {
    for (const TailPair& pair : *pairs) add(pair);
  }
}

const std::vector<TailPair>& TopPairs::pairs() {
  compact();
  return kept_;
}

// Merges what is pending into what is kept, and cuts behind the N-th.
void TopPairs::compact() {
  std::ranges::sort(pending_, better);
  std::vector<TailPair> all(kept_.size() + pending_.size());
  std::ranges::merge(kept_, pending_, all.begin(), better);
  pending_.clear();
  all.resize(std::min(all.size(), static_cast<size_t>(n_)));
  kept_.assign(all.begin(), all.end());
  if (std::ssize(kept_) == n_) threshold_ = kept_.back().score;
}

void raise(std::atomic<double>& threshold, double value) {
  double known = threshold.load(std::memory_order_relaxed);
  while (known < value && !threshold.compare_exchange_weak(known, value, std::memory_order_relaxed)) {
  }
}

class TailSearch::Part : public PairSearch::Block {
 public:
  explicit Part(TailSearch& search) : search_(search), best_(search.best_.n()) {}

  void thresholds(RowRange, RowRange, std::span<double> thresholds) override {
    std::ranges::fill(thresholds, threshold());
  }
  bool wants(int64_t row, int64_t column) override {
    return !search_.wanted_ || search_.wanted_(row, column);
  }
  void add(int64_t row, int64_t column, double score) override {
    if (score < threshold()) return;
    best_.add({score, static_cast<uint32_t>(row), static_cast<uint32_t>(column)});
    raise(search_.threshold_, best_.threshold());
  }
  const TopPairs& best() const { return best_; }

 private:
  double threshold() const { return search_.threshold_.load(std::memory_order_relaxed); }
  TailSearch& search_;
  TopPairs best_;
};

TailSearch::TailSearch(int64_t n, std::string name, PairWanted wanted)
    : best_(n), threshold_(best_.threshold()), name_(std::move(name)), wanted_(std::move(wanted)) {}

std::unique_ptr<PairSearch::Block> TailSearch::begin(RowRange rows, RowRange columns) {
  constexpr int64_t kMost = int64_t{1} << 32;
  ensure(rows.end <= kMost && columns.end <= kMost, "rows have numbers of 32 bits");
  return std::make_unique<Part>(*this);
}

void TailSearch::commit(Block& block) {
  best_.merge(static_cast<Part&>(block).best());
  raise(threshold_, best_.threshold());
}

std::string TailSearch::save() const {
  TopPairs copy = best_;
  ByteWriter writer;
  writer.put_all(copy.pairs());
  return writer.take();
}

void TailSearch::merge(std::string_view saved) {
  for (const TailPair& pair : ByteReader(saved).get_all<TailPair>()) best_.add(pair);
  best_.pairs();
  raise(threshold_, best_.threshold());
}

std::string TailSearch::settings() const { return concat("best pairs ", best_.n(), " ", name_); }

}  // namespace uir
