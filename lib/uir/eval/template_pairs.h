// Scores of a list of template pairs: those of IJB-B and IJB-C, 16 million.
//
// Score of a pair: dot product of its templates (templates.h), float64, summed in index order.
// Cost: 2·D operations for every combination of a first template with a second one that occur in the list (69
// million for IJB-C); where fewer than a tenth of them are listed, ten times as many for each listed one.
// Memory: 12 bytes per pair and three times that of the templates. The result does not depend on the number
// of threads.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "uir/eval/ijb_meta.h"
#include "uir/eval/templates.h"

namespace uir {

// A list of pairs grouped by their first template. 4 bytes per pair.
class PairGroups {
 public:
  struct Partner {
    uint32_t column : 31 = 0, genuine : 1 = false;  // of columns()
  };
  // num_templates: more than any number in the pairs.
  PairGroups(std::span<const IjbPair> pairs, int64_t num_templates);
  int64_t size() const { return static_cast<int64_t>(partners_.size()); }
  int64_t num_genuine() const { return num_genuine_; }
  std::span<const int32_t> rows() const { return rows_; }  // templates that come first in a pair, ascending
  std::span<const int32_t> columns() const { return columns_; }  // those that come second
  int64_t begin(int64_t row) const { return begins_[row]; }      // of row's partners, in the list's order
  std::span<const Partner> partners() const { return partners_; }

 private:
  std::vector<int32_t> rows_, columns_;
  std::vector<int64_t> begins_;
  std::vector<Partner> partners_;
  int64_t num_genuine_ = 0;
};

// Of all pairs, in the order of partners().
std::vector<double> score_pairs(const CanonicalVectors& templates, const PairGroups& pairs, int threads = 1);

struct PairScores {
  std::vector<double> genuine, impostor;
};
PairScores by_kind(std::vector<double> scores, const PairGroups& pairs);

}  // namespace uir
