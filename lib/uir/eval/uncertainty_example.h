// A small set of faces, given by formulas, whose intervals are known to all digits: 16 people of two to four
// images, 51 genuine and 1,030 impostor pairs.
#pragma once

#include "uir/eval/scored_pairs.h"

namespace uir {

// Image j of person i is, in eight dimensions k, [4 divides i] + cos(1.7 (i + 1)(k + 1)) +
// 0.9 sin(2.3 (i + 1) + 3.1 (j + 1)(k + 1)); scores are cosines.
ScoredPairs uncertainty_example();

}  // namespace uir
