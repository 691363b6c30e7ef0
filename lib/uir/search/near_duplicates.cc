#include "uir/search/near_duplicates.h"

#include <algorithm>
#include <utility>

#include "uir/base/error.h"
#include "uir/search/byte_values.h"

namespace uir {

NearDuplicateSearch::NearDuplicateSearch(int64_t rows, double threshold)
    : threshold_(threshold), parents_(static_cast<size_t>(rows)) {
  for (int64_t i = 0; i < rows; ++i) parents_[static_cast<size_t>(i)] = i;
}

int64_t NearDuplicateSearch::find(int64_t row) const {
  for (int64_t parent; (parent = parents_[static_cast<size_t>(row)].load()) != row;) row = parent;
  return row;
}

// The later root becomes a child of the earlier one, unless another thread was faster: then both are looked
// up again.
void NearDuplicateSearch::unite(int64_t a, int64_t b) {
  const int64_t from_a = a, from_b = b;
  while ((a = find(a)) != (b = find(b))) {
    if (a < b) std::swap(a, b);
    int64_t expected = a;
    if (parents_[static_cast<size_t>(a)].compare_exchange_strong(expected, b)) break;
  }
  // Shorter ways for the next look-ups: any earlier row of the group is a valid parent.
  const int64_t root = find(from_a);
  for (int64_t row : {from_a, from_b}) {
    int64_t parent = parents_[static_cast<size_t>(row)].load();
    if (parent != row && root < parent)
      parents_[static_cast<size_t>(row)].compare_exchange_strong(parent, root);
  }
}

class NearDuplicateSearch::Part : public PairSearch::Block {
 public:
  explicit Part(NearDuplicateSearch& search) : search_(search) {}
  void thresholds(RowRange, RowRange, std::span<double> thresholds) override {
    std::ranges::fill(thresholds, search_.threshold_);
  }
  bool wants(int64_t row, int64_t column) override { return search_.find(row) != search_.find(column); }
  void add(int64_t row, int64_t column, double score) override {
    if (score >= search_.threshold_) search_.unite(row, column);
  }

 private:
  NearDuplicateSearch& search_;
};

std::unique_ptr<PairSearch::Block> NearDuplicateSearch::begin(RowRange, RowRange) {
  return std::make_unique<Part>(*this);
}

std::vector<int64_t> NearDuplicateSearch::first_of_group() const {
  std::vector<int64_t> first(parents_.size());
  for (size_t i = 0; i < first.size(); ++i) first[i] = find(static_cast<int64_t>(i));
  return first;
}

std::string NearDuplicateSearch::save() const {
  ByteWriter writer;
  writer.put_all(first_of_group());
  return writer.take();
}

void NearDuplicateSearch::merge(std::string_view saved) {
  const auto first = ByteReader(saved).get_all<int64_t>();
  ensure(first.size() == parents_.size(), "the merged searches have the same rows");
  for (size_t i = 0; i < first.size(); ++i) unite(static_cast<int64_t>(i), first[i]);
}

std::string NearDuplicateSearch::settings() const {
  return concat("near-duplicates from ", threshold_, " of ", parents_.size());
}

std::vector<int64_t> near_duplicates(const UnitRows& rows, double threshold,
                                     const DividedScanOptions& options) {
  NearDuplicateSearch search(rows.size(), threshold);
  scan_pairs(rows, rows, PairsOf::kOneSet, search, options);
  return search.first_of_group();
}

}  // namespace uir
