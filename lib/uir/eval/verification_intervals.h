// How sure the numbers of the verification protocol are: over the people of its pairs (eval/pair_people.h);
// of VAL, and of the accuracy where nobody knows the people, over the folds.
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

// distances[i] belongs to pairs.pairs[i]; fars: those of the reported numbers; common: thresholds of −d for
// them that were chosen elsewhere, or none; labels: of the set's rows.
void report_intervals(const std::vector<double>& distances, const PairList& pairs,
                      const VerificationResult& result, std::span<const double> fars,
                      std::span<const double> common, std::span<const int64_t> labels,
                      ProtocolResult& report);

}  // namespace uir
