// IJB-B and IJB-C 1:N: identification of probe templates against two galleries that share nobody.
//
// Score: dot product of templates (eval/templates.h), float64, summed in index order. Of a probe, `own` is
// its best score with templates of its subject, `other` the best with all other templates of the same
// gallery; its rank is 1 + the number of other templates that score at least `own`, so a tie counts against
// it.
// Open set, per gallery: a probe is mated where the gallery holds its subject. With the best scores s of the
// n non-mated probes, descending,
//   threshold(FPIR) = s[max(int(n·FPIR) − 1, 0)]
//   TPIR = share of mated probes with own > other and own > threshold
//   top-k = (mated probes of rank <= k in G1 + in G2) / number of probes
// Pooled (legacy: all of older tables): one gallery G1 ∪ G2; top-k = probes of rank <= k / number of probes;
//   threshold(FPIR) = the ceil(probes·FPIR)-th largest of all scores of a probe with a template of another
//                     subject
//   TPIR = share of all probes with own > threshold, whatever their rank
// Source: C. Whitelam et al., IJB-B (2017); B. Maze et al., IJB-C (2018); the public evaluation scripts.
// Cost: 2·D operations per probe and gallery template, one pass for both forms. Memory: 72 bytes per probe,
// 16 per probe and thread, and two copies of the galleries and probes. Errors: those of eval/ijb_meta.h and
// eval/templates.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "uir/eval/ijb_options.h"
#include "uir/eval/protocol.h"

namespace uir {

// IJB-B and IJB-C 1:N, open set and the pooled form of older tables.
struct IjbIdentificationProtocol {
  static constexpr std::string_view kType = "ijb_identification";
  static NumberFacts number_facts();
  std::string set;
  IjbBenchmark benchmark = IjbBenchmark::kIjbc;
  DataPath meta;
  std::vector<double> fpir{1e-4, 1e-3, 1e-2, 1e-1, 1};
  bool flip = true;
  bool keep_norm = true;
  bool detector_score = true;
};
template <class Visitor>
void describe(Visitor& v, IjbIdentificationProtocol& c) {
  v.field("set", c.set, "The embedding set; its items are the benchmark's image names.", Required{});
  v.field("benchmark", c.benchmark, "Which benchmark: the beginning of its files' names.", Required{});
  v.field("meta", c.meta, "Folder of the benchmark's lists, such as ijbc_face_tid_mid.txt.", Required{});
  v.field("fpir", c.fpir, "False-positive identification rates.", GreaterThan{0}, Between{0, 1}, Distinct{});
  v.field("flip", c.flip, "Add the embedding of the mirror image; the set must hold it.");
  v.field("keep_norm", c.keep_norm,
          "Keep the norms of embeddings, so that they weight the images of a template.");
  v.field("detector_score", c.detector_score, "Multiply embeddings by the detector score.");
}

std::vector<std::string> sets_of(const IjbIdentificationProtocol& config);
std::vector<std::string> problems_of(const IjbIdentificationProtocol& config, const KnownSources& sources);
std::vector<ProtocolResult> measure(const std::string& name, const IjbIdentificationProtocol& config,
                                    EvalContext& context);

// "<name>/open_set" and "<name>/pooled".
std::vector<ProtocolResult> run_ijb_identification(const std::string& name, const EmbeddingStore& set,
                                                   const IjbIdentificationProtocol& protocol,
                                                   int threads = 1);

}  // namespace uir
