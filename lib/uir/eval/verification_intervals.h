// How sure the numbers of the verification protocol are: over the people of its pairs (eval/pair_people.h),
// those at thresholds of a calibration included; of VAL, and of the accuracy where nobody knows the people,
// over the folds.
//
// Accuracy: each wrong decision counts for the people of its pair, whom report/intervals.h leaves out one by
// one. Over F folds: mean ± t(F − 1) · standard deviation / √F.
// Cost: one pass over the pairs.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "uir/eval/verification.h"

namespace uir {

// A threshold that was chosen elsewhere: tar_calibrated_for_… and far_calibrated_for_… are reported of it.
struct FixedThreshold {
  double rate = 0;   // that was wanted
  double score = 0;  // a pair is accepted where −distance is at least that; infinite: never
};

struct GivenThresholds {
  std::span<const double> common{};  // of −d, one for each of the rates, or none (report_common)
  std::span<const FixedThreshold> calibrated{};
};

// distances[i] belongs to pairs.pairs[i]; fars: those of the reported numbers; labels: of the set's rows.
void report_intervals(const std::vector<double>& distances, const PairList& pairs,
                      const VerificationResult& result, std::span<const double> fars,
                      const GivenThresholds& given, std::span<const int64_t> labels, ProtocolResult& report);

}  // namespace uir
