// Sorting long lists of scores on several threads.
#pragma once

#include <vector>

namespace uir {

// Sorts the values, none of which may be NaN, highest first. Cost: one scatter into slices of the values'
// range, then a sort of each slice, sliced again; memory: one copy of the list. The result does not depend on
// the number of threads.
void sort_descending(std::vector<double>& values, int threads = 1);

}  // namespace uir
