#include "uir/eval/mismatch_search.h"

#include <limits>

#include "uir/base/error.h"
#include "uir/base/file.h"
#include "uir/search/byte_values.h"

namespace uir {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

struct MismatchSearch::Part : Block {
  explicit Part(MismatchSearch& search) : search(search) {}
  void thresholds(RowRange rows, RowRange, std::span<double> thresholds) override {
    for (int64_t i = 0; i < rows.size(); ++i) {
      const double own = search.own_[static_cast<size_t>(rows.begin + i)];
      const bool done = own == -kInfinity || search.beater(rows.begin + i) == kSeveral;
      thresholds[static_cast<size_t>(i)] = done ? kInfinity : own;
    }
  }
  bool wants(int64_t row, int64_t column) override {
    const int64_t person = search.people_[static_cast<size_t>(column)], known = search.beater(row);
    return person != search.people_[static_cast<size_t>(row)] && known != kSeveral && known != person;
  }
  void add(int64_t row, int64_t column, double score) override {
    if (score >= search.own_[static_cast<size_t>(row)])
      search.add(row, search.people_[static_cast<size_t>(column)]);
  }
  MismatchSearch& search;
};

std::unique_ptr<PairSearch::Block> MismatchSearch::begin(RowRange, RowRange) {
  return std::make_unique<Part>(*this);
}

void MismatchSearch::add(int64_t row, int64_t beater) {
  std::atomic<int64_t>& known = beater_[static_cast<size_t>(row)];
  int64_t before = kNobody;
  if (!known.compare_exchange_strong(before, beater, std::memory_order_relaxed) && before != beater)
    known.store(kSeveral, std::memory_order_relaxed);
}

std::string MismatchSearch::save() const {
  std::vector<int64_t> beaters;
  for (const auto& beater : beater_) beaters.push_back(beater);
  ByteWriter writer;
  writer.put_all(beaters);
  return writer.take();
}

void MismatchSearch::merge(std::string_view saved) {
  const auto beaters = ByteReader(saved).get_all<int64_t>();
  ensure(beaters.size() == beater_.size(), "the merged searches have the same rows");
  for (size_t i = 0; i < beaters.size(); ++i) {
    if (beaters[i] != kNobody) add(static_cast<int64_t>(i), beaters[i]);
  }
}

std::string MismatchSearch::settings() const {
  return concat("mismatched people ", checksum_hex(std::as_bytes(std::span(people_))));
}

}  // namespace uir
