// IJB-B and IJB-C 1:1: TAR at FAR over the benchmark's list of template pairs.
//
// Score of a pair: dot product of its templates (eval/templates.h), float64, summed in index order. Both
// rules of reading the curve are reported: `at_most` (tar_at_far_…) and `nearest` (tar_nearest_far_…, what
// published tables use).
// Source: C. Whitelam et al., IJB-B (2017); B. Maze et al., IJB-C (2018); the public evaluation scripts.
// Cost: 2·D operations for every combination of a first template with a second one that occur in the list (69
// million for IJB-C). Memory: 20 bytes per pair, 4·T·D per variant for all templates, which are built in one
// pass, and three times that for the variant that is being scored.
// Errors: those of eval/ijb_meta.h and eval/templates.h.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "uir/eval/ijb_options.h"
#include "uir/eval/protocol.h"
#include "uir/eval/split.h"

namespace uir {

// IJB-B and IJB-C 1:1, one result per variant of the templates.
struct IjbVerificationProtocol {
  static constexpr std::string_view kType = "ijb_verification";
  static NumberFacts number_facts();
  std::string set;
  IjbBenchmark benchmark = IjbBenchmark::kIjbc;
  DataPath meta;
  std::vector<double> far{1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1};
  std::vector<TemplateProperty> variants;
  SplitOptions split{};
};
template <class Visitor>
void describe(Visitor& v, IjbVerificationProtocol& c) {
  v.field("set", c.set, "The embedding set; its items are the benchmark's image names.", Required{});
  v.field("benchmark", c.benchmark, "Which benchmark: the beginning of its files' names.", Required{});
  v.field("meta", c.meta, "Folder of the benchmark's lists, such as ijbc_face_tid_mid.txt.", Required{});
  v.field("far", c.far, "False-acceptance rates.", GreaterThan{0}, Between{0, 1}, Distinct{});
  v.field("variants", c.variants,
          "Only the variants that have all of these properties, as [flip, norm_kept, score]; empty: all.",
          Distinct{});
  describe_split(v, c.split);
}

std::vector<std::string> sets_of(const IjbVerificationProtocol& config);
std::vector<std::string> problems_of(const IjbVerificationProtocol& config, const KnownSources& sources);
std::vector<ProtocolResult> measure(const std::string& name, const IjbVerificationProtocol& config,
                                    EvalContext& context);

// One result per variant, named "<name>/<variant>".
std::vector<ProtocolResult> run_ijb_verification(const std::string& name, const EmbeddingStore& set,
                                                 const IjbVerificationProtocol& protocol, int threads = 1);

}  // namespace uir
