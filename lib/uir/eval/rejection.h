// Out-of-library rejection: can strangers be told from known people by their best class?
//
// Inputs: of each face its best class, that class's cosine and its probability max_i p_i (classes.npy). For cosine and
// probability alike, a face is accepted when value >= threshold:
//   keep(s)   the largest threshold that accepts at least a share s of the known faces, and the share of strangers
//             below it
//   chosen    the smallest threshold that accepts at most a share false_acceptance of the strangers (float32: the
//             next number above the first stranger to be refused), the share of known faces it accepts, and the
//             share it accepts with the right class
// Quantiles: quantile.h. Cost: sorting. Errors: kData for no faces on either side, known faces without label.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "uir/eval/config.h"
#include "uir/report/report.h"
#include "uir/store/embedding_store.h"

namespace uir {

// One embedding set's classes.npy and labels (the labels of strangers are not used).
struct ClassifiedSet {
  std::string name;
  MatrixView classes;  // [N, 3]: best class, cosine, probability
  std::span<const int64_t> labels;
};

struct KeepResult {
  double keep = 0, threshold = 0, strangers_below = 0;
};
struct ThresholdChoice {
  double threshold = 0;
  double strangers_accepted = 0, known_accepted = 0, known_accepted_right = 0;  // shares
};
// Of one measure, cosine or probability.
struct RejectionCurve {
  std::vector<KeepResult> keep;
  ThresholdChoice chosen;
};
struct RejectionResult {
  int64_t num_known = 0, num_strangers = 0;
  double rank1 = 0;  // share of known faces whose best class is the right one
  RejectionCurve cosine, probability;
  double strangers_mean_probability = 0, strangers_median_probability = 0;
  Json cosine_distribution, probability_distribution;  // of known faces and strangers, as in the report
};
RejectionResult measure_rejection(std::span<const ClassifiedSet> known,
                                  std::span<const ClassifiedSet> strangers, const RejectionProtocol& config);

// Also fills details["threshold"], the contents of threshold.json.
ProtocolResult run_rejection(const std::string& name, std::span<const ClassifiedSet> known,
                             std::span<const ClassifiedSet> strangers, const RejectionProtocol& config);

// The thresholds of a rejection result as threshold.json, to be used by whoever deploys the model (docs/protocols.md).
void write_threshold(const fs::path& path, const ProtocolResult& rejection);

}  // namespace uir
