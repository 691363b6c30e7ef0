// Faces whose truth is known: what intervals are validated with (eval/validate_intervals.h says how they are
// drawn). Cost: O(faces). Threads: plain functions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "uir/base/random.h"
#include "uir/eval/scored_pairs.h"

namespace uir {

struct SimulatedFaces {
  std::vector<std::vector<double>> images;  // of length 1
  std::vector<int64_t> person;              // of each image
  int64_t people = 0;

  double score(size_t a, size_t b) const;
};

// People of two to six images, as two models see them.
std::array<SimulatedFaces, 2> simulate_faces(ItemRandom& random, int64_t people);

ScoredPairs all_pairs_of(const SimulatedFaces& faces);

}  // namespace uir
