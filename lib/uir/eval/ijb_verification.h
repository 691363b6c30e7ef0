// IJB-B and IJB-C 1:1: TAR at FAR over the benchmark's list of template pairs.
//
// Score of a pair: dot product of its templates (eval/templates.h), float64, summed in index order. Both rules of
// reading the curve are reported: `at_most` (tar_at_far_…) and `nearest` (tar_nearest_far_…, what published tables use).
// Source: C. Whitelam et al., IJB-B (2017); B. Maze et al., IJB-C (2018); the public evaluation scripts.
// Cost: 2·D operations for every combination of a first template with a second one that occur in the list (69 million
// for IJB-C). Memory: 20 bytes per pair, 4·T·D per variant for all templates, which are built in one pass, and three
// times that for the variant that is being scored.
// Errors: those of eval/ijb_meta.h and eval/templates.h.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "uir/eval/ijb_meta.h"
#include "uir/eval/templates.h"
#include "uir/report/report.h"

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

struct LabeledScores {
  std::vector<double> genuine, impostor;
};
// Scores of all pairs, in the groups' order.
LabeledScores score_pairs(const CanonicalVectors& templates, const PairGroups& pairs, int threads = 1);

// One result per variant, named "<name>/<variant>".
std::vector<ProtocolResult> run_ijb_verification(const std::string& name, const EmbeddingStore& set,
                                                 const IjbVerificationProtocol& protocol, int threads = 1);

}  // namespace uir
