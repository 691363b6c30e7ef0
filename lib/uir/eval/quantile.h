// The one definition of shares and quantiles in reports.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace uir {

// Not a number of none.
inline double share(int64_t count, int64_t total) {
  return static_cast<double>(count) / static_cast<double>(total);
}

// How many of n values a share needs: the smallest k with k / n >= share. (ceil(share · n) alone is one too
// many where the product is rounded up: 0.55 · 20.)
inline size_t count_of_share(double share, size_t n) {
  auto k = static_cast<size_t>(std::ceil(share * static_cast<double>(n)));
  while (k > 0 && static_cast<double>(k - 1) / static_cast<double>(n) >= share) --k;
  return k;
}

// The smallest value that at least a share q of the values do not exceed (inverse of the empirical
// distribution function). sorted: ascending, not empty.
template <class T>
T sorted_quantile(const std::vector<T>& sorted, double q) {
  const size_t k = count_of_share(q, sorted.size());
  return sorted[k == 0 ? 0 : k - 1];
}

}  // namespace uir
