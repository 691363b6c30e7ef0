#include "uir/eval/scored_pairs.h"

#include <utility>

namespace uir {

Roc roc_of(const ScoredPairs& pairs) {
  std::vector<double> genuine, impostor;
  for (const ScoredPair& pair : pairs.pairs) (pair.a == pair.b ? genuine : impostor).push_back(pair.score);
  Roc roc(std::move(genuine));
  roc.add_impostors(impostor);
  return roc;
}

PeopleTally tally_of(const PairUncertainty& uncertainty, const ScoredPairs& pairs) {
  PeopleTally tally = uncertainty.empty_tally(pairs.people);
  for (const ScoredPair& pair : pairs.pairs) {
    if (pair.a == pair.b) {
      tally.genuine(pair.a, pair.score);
    } else {
      tally.impostor(pair.a, pair.b, pair.score);
    }
  }
  return tally;
}

}  // namespace uir
