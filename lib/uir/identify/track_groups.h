// Which tracks are one person: average linkage on the cosines of their vectors, where tracks that are seen at
// one time are never one person.
//
// The two groups with the highest mean cosine between their tracks become one, as long as that is at least
// `same_person` and no track of one is excluded from one of the other.
// Cost: O(n²) memory (4 bytes a pair), O(n² log n) time for n tracks. Threads: thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace uir {

// vectors: [n, dim] of length 1. excluded(i, j): never one person. Given back: the number of each one's
// group, 0, 1 … in the order of their first members.
std::vector<int64_t> group_tracks(std::span<const float> vectors, size_t n, double same_person,
                                  const std::function<bool(size_t, size_t)>& excluded);

}  // namespace uir
