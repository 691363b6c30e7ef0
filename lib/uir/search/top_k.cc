#include "uir/search/top_k.h"

#include <algorithm>

#include "uir/base/error.h"
#include "uir/search/byte_values.h"

namespace uir {
namespace {

bool better(const Neighbour& a, const Neighbour& b) {
  return a.score != b.score ? a.score > b.score : a.column < b.column;
}

}  // namespace

TopKSearch::TopKSearch(int64_t rows, int64_t k, std::string name, PairWanted wanted)
    : rows_(rows),
      k_(k),
      name_(std::move(name)),
      wanted_(std::move(wanted)),
      best_(static_cast<size_t>(rows * k)),
      sizes_(static_cast<size_t>(rows)),
      thresholds_(static_cast<size_t>(rows)) {
  ensure(k >= 1, "k is at least 1");
  for (auto& threshold : thresholds_) threshold = -std::numeric_limits<double>::infinity();
}

std::span<const Neighbour> TopKSearch::row(int64_t row) const {
  return {best_.data() + row * k_, static_cast<size_t>(sizes_[row])};
}

void TopKSearch::insert(int64_t row, Neighbour found) {
  std::lock_guard lock(mutexes_[static_cast<size_t>(row) % mutexes_.size()]);
  Neighbour* begin = best_.data() + row * k_;
  Neighbour* end = begin + sizes_[row];
  Neighbour* place = std::lower_bound(begin, end, found, better);
  if (place == begin + k_ || (place != end && *place == found)) return;
  if (end == begin + k_) {
    --end;
  } else {
    ++sizes_[row];
  }
  std::move_backward(place, end, end + 1);
  *place = found;
  if (sizes_[row] == k_) thresholds_[row].store(begin[k_ - 1].score, std::memory_order_relaxed);
}

// Inserting a pair again changes nothing, so what blocks find need not wait for their end.
class TopKSearch::Part : public PairSearch::Block {
 public:
  explicit Part(TopKSearch& search) : search_(search) {}
  void thresholds(RowRange rows, RowRange, std::span<double> thresholds) override {
    for (int64_t i = 0; i < rows.size(); ++i)
      thresholds[i] = search_.thresholds_[rows.begin + i].load(std::memory_order_relaxed);
  }
  bool wants(int64_t row, int64_t column) override {
    return !search_.wanted_ || search_.wanted_(row, column);
  }
  void add(int64_t row, int64_t column, double score) override { search_.add(row, {column, score}); }

 private:
  TopKSearch& search_;
};

std::unique_ptr<PairSearch::Block> TopKSearch::begin(RowRange, RowRange) {
  return std::make_unique<Part>(*this);
}

std::string TopKSearch::save() const {
  std::vector<int64_t> sizes(sizes_.size());
  std::vector<Neighbour> found;
  for (int64_t i = 0; i < rows_; ++i) {
    std::lock_guard lock(mutexes_[static_cast<size_t>(i) % mutexes_.size()]);
    const std::span<const Neighbour> best = row(i);
    sizes[i] = static_cast<int64_t>(best.size());
    found.insert(found.end(), best.begin(), best.end());
  }
  ByteWriter writer;
  writer.put_all(sizes);
  writer.put_all(found);
  return writer.take();
}

void TopKSearch::merge(std::string_view saved) {
  ByteReader reader(saved);
  const auto sizes = reader.get_all<int64_t>();
  const auto found = reader.get_all<Neighbour>();
  ensure(static_cast<int64_t>(sizes.size()) == rows_, "the merged searches have the same rows");
  size_t next = 0;
  for (int64_t i = 0; i < rows_; ++i) {
    for (int64_t n = 0; n < sizes[i]; ++n) insert(i, found.at(next++));
  }
}

std::string TopKSearch::settings() const { return concat("top ", k_, " of ", rows_, " ", name_); }

std::vector<std::vector<Neighbour>> top_k(const UnitRows& rows, const UnitRows& columns, int64_t k,
                                          const PairWanted& wanted, const ScanOptions& options) {
  TopKSearch search(rows.size(), k, options.what, wanted);
  scan_pairs(rows, columns, PairsOf::kRowsAndColumns, search, options);
  std::vector<std::vector<Neighbour>> result(static_cast<size_t>(rows.size()));
  for (int64_t i = 0; i < rows.size(); ++i) {
    const std::span<const Neighbour> best = search.row(i);
    result[i].assign(best.begin(), best.end());
  }
  return result;
}

}  // namespace uir
