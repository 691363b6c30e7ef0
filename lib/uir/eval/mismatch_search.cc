#include "uir/eval/mismatch_search.h"

#include <limits>

#include "uir/base/error.h"
#include "uir/base/file.h"

namespace uir {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

struct MismatchSearch::Part : Block {
  explicit Part(MismatchSearch& search) : search(search) {}
  void thresholds(RowRange rows, RowRange, std::span<double> thresholds) override {
    for (int64_t i = 0; i < rows.size(); ++i) {
      const double own = search.own_[rows.begin + i];
      thresholds[i] = own == -kInfinity || search.beaten(rows.begin + i) ? kInfinity : own;
    }
  }
  bool wants(int64_t row, int64_t column) override {
    return search.labels_[row] != search.labels_[column] && !search.beaten(row);
  }
  void add(int64_t row, int64_t, double score) override {
    if (score >= search.own_[row]) search.beaten_[row].store(true, std::memory_order_relaxed);
  }
  MismatchSearch& search;
};

std::unique_ptr<PairSearch::Block> MismatchSearch::begin(RowRange, RowRange) {
  return std::make_unique<Part>(*this);
}

std::string MismatchSearch::save() const {
  std::string flags;
  for (const auto& beaten : beaten_) flags += beaten ? '1' : '0';
  return flags;
}

void MismatchSearch::merge(std::string_view saved) {
  ensure(saved.size() == beaten_.size(), "the merged searches have the same rows");
  for (size_t i = 0; i < saved.size(); ++i) {
    if (saved[i] == '1') beaten_[i] = true;
  }
}

std::string MismatchSearch::settings() const {
  return concat("mismatches ", checksum_hex(std::as_bytes(std::span(labels_))));
}

}  // namespace uir
