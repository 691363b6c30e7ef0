// AUC, EER and TAR@FAR (rule at_most) over all pairs of a labeled set: two images of one identity are
// genuine, of two identities impostors; every unordered pair counts once.
//
// Exact: float64 scores of canonical vectors, ties counted. Cost: N²/2 · D multiplications (once more for the
// genuine ones, and all of them once more for intervals); memory: 4·N·D bytes for the transposed copy and 24
// bytes per genuine pair and thread, none per impostor; for intervals people_tally.h's.
// Errors: unlabeled rows (−1) and labels of another number than rows are kData.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "uir/eval/flip_test.h"
#include "uir/eval/people_tally.h"
#include "uir/eval/protocol.h"
#include "uir/eval/roc.h"
#include "uir/eval/split.h"

namespace uir {

class PairUncertainty;

// AUC and TAR@FAR over all pairs of a labeled test set.
struct AllPairsProtocol {
  static constexpr std::string_view kType = "all_pairs";
  static NumberFacts number_facts();
  std::string set;
  std::vector<double> far{1e-4, 1e-3, 1e-2};
  bool flip = true;
  SplitOptions split{};
};
template <class Visitor>
void describe(Visitor& v, AllPairsProtocol& c) {
  v.field("set", c.set, "The embedding set, with identities.", Required{});
  v.field("far", c.far, "False-acceptance rates.", GreaterThan{0}, Between{0, 1}, Distinct{});
  v.field("flip", c.flip, kFlipTest);
  describe_split(v, c.split);
}

std::vector<std::string> sets_of(const AllPairsProtocol& config);
std::vector<std::string> problems_of(const AllPairsProtocol& config, const KnownSources& sources);
std::vector<ProtocolResult> measure(const std::string& name, const AllPairsProtocol& config,
                                    EvalContext& context);

Roc all_pairs_roc(const CanonicalVectors& vectors, std::span<const int64_t> labels, int threads = 1);
// The same pairs once more, when the ROC is known.
PeopleTally all_pairs_tally(const PairUncertainty& uncertainty, const CanonicalVectors& vectors,
                            std::span<const int64_t> labels, int threads = 1);

ProtocolResult run_all_pairs(const std::string& name, const CanonicalVectors& vectors,
                             std::span<const int64_t> labels, const std::vector<double>& far, int threads = 1,
                             bool intervals = true);

}  // namespace uir
