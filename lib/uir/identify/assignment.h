// The cheapest one-to-one assignment of rows to columns (Kuhn and Munkres; the form with shortest paths and
// potentials of Jonker and Volgenant, 1987), where staying alone costs a fixed amount.
// Cost: O(n³) for n = rows + columns. Threads: thread-safe. Errors: none.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace uir {

inline constexpr size_t kUnassigned = static_cast<size_t>(-1);

// costs: [rows, columns], row by row; infinity: not allowed. A pair that costs more than `alone` is not
// made. Given back: the column of each row, or kUnassigned; the sum of costs with `alone` for each
// unassigned row is the least that is possible.
std::vector<size_t> cheapest_assignment(std::span<const double> costs, size_t rows, size_t columns,
                                        double alone);

}  // namespace uir
