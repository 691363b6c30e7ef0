// Which of a rank's classes the labeled rows of a step meet: Partial FC (An et al., CVPR 2022).
//
// Cost: one random number per class of the rank and a selection, 16 bytes per class. Threads: uses LibTorch's
// intra-op threads; the result does not depend on their number.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "uir/base/row_range.h"

namespace uir {

// The classes of `labels` that lie in the range, and others at random up to max(round(rate n), number of
// those), by number from the range's begin, ascending. Each class has a random priority, a function of (seed,
// key, class) alone, and the first ones are taken: calls with one key and other labels differ in few classes.
std::vector<int64_t> sample_classes(RowRange range, double rate, std::span<const int64_t> labels,
                                    uint64_t seed, uint64_t key);

// Where each label stands in the sample; -1: with another rank.
std::vector<int64_t> positions_in_sample(RowRange range, const std::vector<int64_t>& sample,
                                         std::span<const int64_t> labels);

}  // namespace uir
