// Which images of one class show one person? Average linkage (UPGMA): groups whose images have a mean cosine
// of at least a threshold are joined, the most alike first.
//
// The mean cosine of two groups estimates the same thing whatever their sizes are, and its spread shrinks
// with them; so one threshold serves all.
// Source: R. Sokal, C. Michener (1958); nearest-neighbour chains give the same groups in O(n²) (F. Murtagh,
// 1983). Cost: n²·D / 2 operations and 8·n² bytes of a class of n <= kTogether images; larger classes are
// grouped in parts of that size and then the parts' groups, of which the kTogether largest take part.
// Threads: may run at once.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "uir/search/canonical.h"

namespace uir {

inline constexpr size_t kTogether = 2048;

// Rows of `images`, in groups: the largest first, of equal ones that with the earliest row; rows ascending.
std::vector<std::vector<int64_t>> one_person_groups(const CanonicalVectors& images,
                                                    std::span<const int64_t> rows, double threshold);

}  // namespace uir
