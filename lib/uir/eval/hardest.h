// The pairs that a protocol finds hardest, for people to look at: genuine ones that score lowest, impostors
// that score highest, strangers who are most surely taken for somebody. Only where they are asked for
// (EvalContext::pictures); the page shows them (report/html_pictures.h), their pictures are made by
// pipeline/report_pictures.h.
//
// The choice is a function of the scores alone: of equal ones the lower rows come first, for any number of
// threads. Memory: kHardestShown pairs of each kind and thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "uir/base/json.h"

namespace uir {

class EmbeddingStore;
struct ProtocolResult;

inline constexpr size_t kHardestShown = 12;  // of a kind

struct HardPair {
  double score = 0;
  int64_t left = 0, right = 0;  // rows, of whatever the protocol pairs
  bool operator==(const HardPair&) const = default;
};

enum class Hardest { kLowest, kHighest };

// Keeps the hardest of the pairs that were added, hardest first. One thread's; merged in any order they give
// the same.
class HardestPairs {
 public:
  explicit HardestPairs(Hardest end) : end_(end) {}
  void add(const HardPair& pair);
  void merge(const HardestPairs& other);
  const std::vector<HardPair>& pairs() const { return pairs_; }

 private:
  bool before(const HardPair& a, const HardPair& b) const;

  Hardest end_;
  std::vector<HardPair> pairs_;
};

// {"set": …, "name": the item}
Json hard_face(std::string_view set, const EmbeddingStore& store, int64_t row);
// {"class": …, "name": "class 7"}
Json hard_face_of_class(int64_t number);

// One kind of pairs of a result.
struct HardKind {
  std::string_view kind;     // in names of files: "genuine", "impostor", "strangers"
  std::string_view words;    // above the pictures
  std::string_view measure;  // what the scores are: "cosine"
  Json thresholds = Json::array();
};
// Of protocols on pairs of images.
inline HardKind hardest_genuine(Json thresholds) {
  return {"genuine", "Pairs of one person that score lowest", "cosine", std::move(thresholds)};
}
inline HardKind hardest_impostors(Json thresholds) {
  return {"impostor", "Pairs of different people that score highest", "cosine", std::move(thresholds)};
}

// left, right: functions from rows to faces.
template <class Left, class Right>
Json hard_pairs(const HardestPairs& hardest, Left&& left, Right&& right) {
  Json pairs = Json::array();
  for (const HardPair& pair : hardest.pairs())
    pairs.push_back({{"score", pair.score}, {"left", left(pair.left)}, {"right", right(pair.right)}});
  return pairs;
}
// Adds it to details["hardest"]; nothing where there are no pairs.
void report_hardest(const HardKind& kind, Json pairs, ProtocolResult& result);
// Of the pairs of one set's rows.
void report_hardest(const HardKind& kind, const HardestPairs& hardest, std::string_view set,
                    const EmbeddingStore& store, ProtocolResult& result);

// {"at": "FAR 0.001", "threshold": …} of each of the result's details["thresholds"], as offset + factor·t.
Json hard_thresholds(const ProtocolResult& result, double factor = 1, double offset = 0);

}  // namespace uir
