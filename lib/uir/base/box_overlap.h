// How much of two boxes is the same.
#pragma once

#include <algorithm>
#include <array>

namespace uir {

// Intersection over union; boxes are x1, y1, x2, y2. 0 where they do not overlap, or both are empty.
inline double overlap_of(const std::array<float, 4>& a, const std::array<float, 4>& b) {
  const double width = std::min(a[2], b[2]) - std::max(a[0], b[0]),
               height = std::min(a[3], b[3]) - std::max(a[1], b[1]);
  if (width <= 0 || height <= 0) return 0;
  const auto area = [](const std::array<float, 4>& box) {
    return double{box[2] - box[0]} * double{box[3] - box[1]};
  };
  return width * height / (area(a) + area(b) - width * height);
}

}  // namespace uir
