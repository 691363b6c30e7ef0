// IJB-B and IJB-C 1:N: identification of probe templates against two galleries that share nobody.
//
// Score: dot product of templates (eval/templates.h), float64, summed in index order. Of a probe, `own` is its best
// score with templates of its subject, `other` the best with all other templates of the same gallery; its rank is 1 +
// the number of other templates that score at least `own`, so a tie counts against it.
// Open set, per gallery: a probe is mated where the gallery holds its subject. With the best scores s of the n non-mated
// probes, descending,
//   threshold(FPIR) = s[max(int(n·FPIR) − 1, 0)]
//   TPIR = share of mated probes with own > other and own > threshold
//   top-k = (mated probes of rank <= k in G1 + in G2) / number of probes
// Pooled (legacy: all of older tables): one gallery G1 ∪ G2; top-k = probes of rank <= k / number of probes;
//   threshold(FPIR) = the ceil(probes·FPIR)-th largest of all scores of a probe with a template of another subject
//   TPIR = share of all probes with own > threshold, whatever their rank
// Source: C. Whitelam et al., IJB-B (2017); B. Maze et al., IJB-C (2018); the public evaluation scripts.
// Cost: 2·D operations per probe and gallery template, one pass for both forms. Memory: 72 bytes per probe, 16 per
// probe and thread, and two copies of the galleries and probes. Errors: those of eval/ijb_meta.h and eval/templates.h.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "uir/eval/ijb_meta.h"
#include "uir/eval/templates.h"
#include "uir/report/report.h"

namespace uir {

// What one probe found in one gallery.
struct ProbeScores {
  static constexpr double kNone = -std::numeric_limits<double>::infinity();
  double own = kNone, other = kNone;
  int64_t others_at_least_own = 0;  // of this gallery, compared with the probe's own score in either
  bool mated() const { return own > kNone; }
  bool within(int64_t k) const { return mated() && others_at_least_own < k; }
};

struct SearchScores {
  std::array<std::vector<ProbeScores>, 2> galleries;  // [gallery][probe]
  std::vector<double> highest_non_mate;               // over both galleries, highest first
};
// num_non_mate: how many of the highest non-mate scores are kept.
SearchScores search_galleries(const CanonicalVectors& templates, const IjbSearch& search,
                              int64_t num_non_mate, int threads = 1);

// "<name>/open_set" and "<name>/pooled".
std::vector<ProtocolResult> run_ijb_identification(const std::string& name, const EmbeddingStore& set,
                                                   const IjbIdentificationProtocol& protocol,
                                                   int threads = 1);

}  // namespace uir
