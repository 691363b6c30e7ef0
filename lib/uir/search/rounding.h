// Roundings to float32 that the filters' bounds (pair_filter.h, search_device/torch_filter.h) need on the
// safe side.
#pragma once

#include <cmath>
#include <limits>

namespace uir {

inline float rounded_up(double x) {
  const auto nearest = static_cast<float>(x);
  return double{nearest} < x ? std::nextafter(nearest, std::numeric_limits<float>::infinity()) : nearest;
}
inline float rounded_down(double x) { return -rounded_up(-x); }

// An upper bound of the root of a sum of squares that was added in float64.
inline float norm_bound(double squares) { return rounded_up(std::sqrt(squares) * (1 + 1e-10)); }

}  // namespace uir
