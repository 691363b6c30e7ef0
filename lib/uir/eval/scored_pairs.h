// Pairs of people with their scores, one by one: what simulations of intervals and their tests measure.
// Cost: one pass over the pairs for each function. Errors: none. Threads: plain functions.
#pragma once

#include <cstdint>
#include <vector>

#include "uir/eval/pair_uncertainty.h"
#include "uir/eval/people_tally.h"
#include "uir/eval/roc.h"

namespace uir {

struct ScoredPair {
  int64_t a = 0, b = 0;  // people; a genuine pair has one twice
  double score = 0;
};
struct ScoredPairs {
  std::vector<ScoredPair> pairs;
  int64_t people = 0;
};

Roc roc_of(const ScoredPairs& pairs);
// uncertainty: of the pairs' ROC.
PeopleTally tally_of(const PairUncertainty& uncertainty, const ScoredPairs& pairs);

}  // namespace uir
