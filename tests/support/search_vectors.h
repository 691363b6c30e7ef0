// Unit vectors that searches find hard, each in its own way.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "support/brute_force.h"
#include "uir/base/random.h"
#include "uir/search/canonical.h"

namespace uir {

inline CanonicalVectors from_values(const std::vector<float>& values, int64_t dim) {
  return canonical_vectors({values.data(), static_cast<int64_t>(values.size()) / dim, dim});
}

// Whole numbers of few values: many equal scores; every fifth row is a copy of an earlier one.
inline CanonicalVectors tied_vectors(int64_t n, int64_t dim, uint64_t seed) {
  ItemRandom random(seed, RandomPurpose::kTest, 0, 0);
  std::vector<float> values;
  for (int64_t i = 0; i < n * dim; ++i)
    values.push_back(i % dim == 0 ? 1.0F : static_cast<float>(random.below(3)) - 1);
  for (int64_t i = 5; i < n; i += 5) std::copy_n(values.data() + (i / 2) * dim, dim, values.data() + i * dim);
  return from_values(values, dim);
}

// Vectors of few large and many small coordinates, turned; with copies, and one along the first axis.
inline CanonicalVectors low_rank_vectors(int64_t n, int64_t dim, uint64_t seed) {
  const int64_t rank = 6;
  const std::vector<float> directions = brute::random_values(rank * dim, seed);
  std::vector<float> values = brute::random_values(n * dim, seed + 1);
  ItemRandom random(seed, RandomPurpose::kTest, 1, 0);
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t d = 0; d < dim; ++d) values[i * dim + d] *= i % 7 == 0 ? 0 : 0.05F;
    for (int64_t k = 0; k < rank; ++k) {
      const auto along = static_cast<float>(random.normal());
      for (int64_t d = 0; d < dim; ++d) values[i * dim + d] += along * directions[k * dim + d];
    }
  }
  for (int64_t i = 5; i < n; i += 5) std::copy_n(values.data() + i / 2 * dim, dim, values.data() + i * dim);
  return from_values(values, dim);
}

}  // namespace uir
