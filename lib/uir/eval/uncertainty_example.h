// A small set of faces, given by formulas, whose intervals are known to all digits: 16 people of two to four
// images, 51 genuine and 1,030 impostor pairs.
#pragma once

#include <cstdint>
#include <vector>

namespace uir {

struct ScoredPair {
  int64_t a = 0, b = 0;  // people
  double score = 0;
};
struct ScoredPairs {
  std::vector<ScoredPair> pairs;
  int64_t people = 0;
};

// Image j of person i is, in eight dimensions k, [4 divides i] + cos(1.7 (i + 1)(k + 1)) +
// 0.9 sin(2.3 (i + 1) + 3.1 (j + 1)(k + 1)); scores are cosines.
ScoredPairs uncertainty_example();

}  // namespace uir
