#include "uir/search/tail_search.h"

#include <algorithm>

#include "uir/base/error.h"
#include "uir/search/byte_values.h"

namespace uir {

TopScores::TopScores(int64_t n) : n_(n), capacity_(static_cast<size_t>(std::max(n, kLeastPending))) {
  ensure(n >= 1, "a tail has at least one score");
  if (n > kMaxTail) {
    fail(ErrorKind::kConfig, "the ", n, " best pairs decide this rate; at most ", kMaxTail,
         " are kept: choose a lower rate, or the protocol all_pairs");
  }
}

void TopScores::merge(const TopScores& other) {
  for (const auto* scores : {&other.kept_, &other.pending_}) {
    for (const ScoreCount& s : *scores) add(s.score, s.count);
  }
}

const std::vector<ScoreCount>& TopScores::scores() {
  compact();
  return kept_;
}

// Merges what is pending into what is kept, equal scores into one, and cuts behind the N-th.
void TopScores::compact() {
  const auto higher = [](const ScoreCount& a, const ScoreCount& b) { return a.score > b.score; };
  std::ranges::sort(pending_, higher);
  std::vector<ScoreCount> all(kept_.size() + pending_.size());
  std::ranges::merge(kept_, pending_, all.begin(), higher);
  pending_.clear();
  kept_.clear();
  int64_t total = 0;
  for (const ScoreCount& s : all) {
    const bool repeats = !kept_.empty() && kept_.back().score == s.score;
    if (!repeats && total >= n_) break;
    if (repeats) {
      kept_.back().count += s.count;
    } else {
      kept_.push_back(s);
    }
    total += s.count;
  }
  if (total >= n_) threshold_ = kept_.back().score;
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
  void add(int64_t, int64_t, double score) override {
    if (score < threshold()) return;
    best_.add(score);
    raise(search_.threshold_, best_.threshold());
  }
  const TopScores& best() const { return best_; }

 private:
  double threshold() const { return search_.threshold_.load(std::memory_order_relaxed); }
  TailSearch& search_;
  TopScores best_;
};

TailSearch::TailSearch(int64_t n, std::string name, PairWanted wanted)
    : best_(n), threshold_(best_.threshold()), name_(std::move(name)), wanted_(std::move(wanted)) {}

std::unique_ptr<PairSearch::Block> TailSearch::begin(RowRange, RowRange) {
  return std::make_unique<Part>(*this);
}

void TailSearch::commit(Block& block) {
  best_.merge(static_cast<Part&>(block).best());
  raise(threshold_, best_.threshold());
}

std::string TailSearch::save() const {
  TopScores copy = best_;
  ByteWriter writer;
  writer.put_all(copy.scores());
  return writer.take();
}

void TailSearch::merge(std::string_view saved) {
  for (const ScoreCount& s : ByteReader(saved).get_all<ScoreCount>()) best_.add(s.score, s.count);
  best_.scores();
  raise(threshold_, best_.threshold());
}

std::string TailSearch::settings() const { return concat("tail ", best_.n(), " ", name_); }

}  // namespace uir
