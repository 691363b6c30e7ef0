#include "uir/eval/hardest.h"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

#include "uir/base/error.h"
#include "uir/report/report.h"
#include "uir/store/embedding_store.h"

namespace uir {

bool HardestPairs::before(const HardPair& a, const HardPair& b) const {
  if (a.score != b.score) return end_ == Hardest::kLowest ? a.score < b.score : a.score > b.score;
  return std::tie(a.left, a.right) < std::tie(b.left, b.right);
}

void HardestPairs::add(const HardPair& pair) {
  if (pairs_.size() == kHardestShown && !before(pair, pairs_.back())) return;
  const auto place = std::ranges::upper_bound(
      pairs_, pair, [this](const HardPair& a, const HardPair& b) { return before(a, b); });
  pairs_.insert(place, pair);
  if (pairs_.size() > kHardestShown) pairs_.pop_back();
}

void HardestPairs::merge(const HardestPairs& other) {
  for (const HardPair& pair : other.pairs_) add(pair);
}

Json hard_face(std::string_view set, const EmbeddingStore& store, int64_t row) {
  return {{"set", set}, {"name", store.item(row)}};
}

Json hard_face_of_class(int64_t number) { return {{"class", number}, {"name", concat("class ", number)}}; }

void report_hardest(const HardKind& kind, Json pairs, ProtocolResult& result) {
  if (pairs.empty()) return;
  result.details["hardest"].push_back({{"kind", kind.kind},
                                       {"words", kind.words},
                                       {"measure", kind.measure},
                                       {"thresholds", kind.thresholds},
                                       {"pairs", std::move(pairs)}});
}

void report_hardest(const HardKind& kind, const HardestPairs& hardest, std::string_view set,
                    const EmbeddingStore& store, ProtocolResult& result) {
  const auto face = [&](int64_t row) { return hard_face(set, store, row); };
  report_hardest(kind, hard_pairs(hardest, face, face), result);
}

Json hard_thresholds(const ProtocolResult& result, double factor, double offset) {
  Json thresholds = Json::array();
  if (!result.details.contains("thresholds")) return thresholds;
  for (const Json& rate : result.details["thresholds"]) {
    const double threshold = offset + factor * rate["threshold"].get<double>();
    thresholds.push_back(
        {{"at", "FAR " + short_number(rate["far"].get<double>(), 10)}, {"threshold", threshold}});
  }
  return thresholds;
}

}  // namespace uir
