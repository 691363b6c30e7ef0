// Out-of-library rejection: can strangers be told from known people by their best class?
//
// Inputs: of each face its best class, that class's cosine, its probability p = max_i p_i, and
// log(p/(1 − p)), which orders faces as p does but does not end at 1 (classes.npy). For each of the three
// alike, a face is accepted when value >= threshold:
//   keep(s)   the largest threshold that accepts at least a share s of the known faces, and the share of
//             strangers below it; and the same of the known faces whose best class is the right one
//   chosen    the smallest threshold that accepts at most a share false_acceptance of the strangers (float32:
//             the next number above the first stranger to be refused), the share of known faces it accepts,
//             and the share it accepts with the right class
// Quantiles: quantile.h. Cost: sorting. Errors: kData for no faces on either side, known faces without label.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "uir/base/file.h"
#include "uir/eval/protocol.h"

namespace uir {

struct ClassifiedSet;  // embedding_sets.h

// Out-of-library rejection: highest class probability of strangers, at thresholds that keep known people.
struct RejectionProtocol {
  static constexpr std::string_view kType = "rejection";
  static NumberFacts number_facts();
  std::vector<std::string> known;
  std::vector<std::string> strangers;
  std::vector<double> keep{0.99, 0.95, 0.90};
  double false_acceptance = 0.01;
};
template <class Visitor>
void describe(Visitor& v, RejectionProtocol& c) {
  v.field("known", c.known, "Sets of held-out images of training identities (<source>.held_out).", Required{},
          Distinct{});
  v.field("strangers", c.strangers, "Sets of people who are in no class.", Required{}, Distinct{});
  v.field("keep", c.keep, "Shares of known faces that the thresholds keep.", Between{0, 1}, Distinct{});
  v.field("false_acceptance", c.false_acceptance, "Share of strangers that the saved threshold lets through.",
          Between{0, 1});
}

std::vector<std::string> sets_of(const RejectionProtocol& config);
std::vector<std::string> problems_of(const RejectionProtocol& config, const KnownSources& sources);
std::vector<ProtocolResult> measure(const std::string& name, const RejectionProtocol& config,
                                    EvalContext& context);

struct KeepResult {
  double keep = 0, threshold = 0, strangers_below = 0;
};
struct ThresholdChoice {
  double threshold = 0;
  double strangers_accepted = 0, known_accepted = 0, known_accepted_right = 0;  // shares
};
// Of one measure of the faces on one side.
struct ValueDistribution {
  double mean = 0;
  std::vector<std::pair<double, double>> quantiles;  // share and value
  double low = 0, high = 0;
  std::vector<int64_t> histogram;  // counts of equal bins over [low, high]
};
// Of one measure.
struct RejectionMeasure {
  std::vector<KeepResult> keep;
  std::vector<KeepResult> keep_right;  // of the correctly classified ones; empty where there are none
  ThresholdChoice chosen;
  ValueDistribution known, strangers;
};
struct RejectionResult {
  int64_t num_known = 0, num_strangers = 0;
  double rank1 = 0;  // share of known faces whose best class is the right one
  RejectionMeasure probability, cosine;
  std::optional<RejectionMeasure> log_odds;  // none where a set was extracted before there were any
  double strangers_mean_probability = 0, strangers_median_probability = 0;
};
RejectionResult measure_rejection(std::span<const ClassifiedSet> known,
                                  std::span<const ClassifiedSet> strangers, const RejectionProtocol& config);

// Also fills details["threshold"], the contents of threshold.json.
ProtocolResult run_rejection(const std::string& name, std::span<const ClassifiedSet> known,
                             std::span<const ClassifiedSet> strangers, const RejectionProtocol& config);

// The thresholds of a rejection result as threshold.json, to be used by whoever deploys the model
// (docs/protocols.md).
void write_threshold(const fs::path& path, const ProtocolResult& rejection);

}  // namespace uir
