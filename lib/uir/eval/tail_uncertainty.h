// How sure is TAR at a FAR so low that only the best impostor pairs are known, of people and distractors?
//
// As TAR at FAR in eval/pair_uncertainty.h, with two differences. The K impostor pairs that may be accepted
// are the K best, of which C_i are person i's, wherever the genuine scores lie. And there are two groups,
// whose variances add up: the people, and the distractors, of whom nobody knows who they are, so that each is
// a unit of its own. A distractor has as many impostor pairs as there are images of people; most have C = 0,
// and all these the same influence.
// Cost: O(people + distractors). Threads: plain functions.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "uir/report/uncertainty.h"

namespace uir {

inline constexpr std::string_view kLoneDistractors =
    "each distractor counts as a person of its own: at least this wide";

// Of all pairs.
struct TailRate {
  int64_t genuine = 0, found = 0;      // n; of these above the threshold
  int64_t impostors = 0, allowed = 0;  // N; K
  double slope = 0;                    // b
};
// Of one person.
struct TailPairs {
  int64_t genuine = 0, found = 0, impostors = 0, accepted = 0;  // n_i, A_i, M_i, C_i
};
struct TailDistractors {
  int64_t impostors_each = 0;         // M
  std::span<const int64_t> accepted;  // C of each
};

// Nobody is in `people` without a pair. Without distractors there is one group.
Uncertainty tail_uncertainty(const TailRate& rate, std::span<const TailPairs> people,
                             const TailDistractors& distractors);

}  // namespace uir
