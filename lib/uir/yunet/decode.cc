#include "uir/yunet/decode.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <span>

namespace uir {
namespace {

constexpr float kMostOverlap = 0.3f;
constexpr size_t kMostFaces = 5000;
constexpr float kPriorSizes[4][3] = {{10, 16, 24}, {32, 48}, {64, 96}, {128, 192, 256}};  // 0: none
constexpr int64_t kFinestStride = 8;

bool is_finite(const YuNetFace& face) {
  const auto finite = [](float x) { return std::isfinite(x); };
  return finite(face.x) && finite(face.y) && finite(face.width) && finite(face.height) &&
         std::ranges::all_of(face.points, finite) && finite(face.score);
}

// Cells of a map whose score can be above min_score, by one of the logits that it is made of: the score is
// the root of a product of two numbers of at most 1.
float least_logit(float min_score) {
  constexpr double kRounding = 1e-3;
  const double least = static_cast<double>(min_score) * min_score;
  return static_cast<float>(std::log(least / (1 - least)) - kRounding);
}

float sigmoid(float x) { return 1 / (1 + std::exp(-x)); }

// One size of prior box at one place: its middle and side.
YuNetFace face_of_2022(const YuNetMap& map, int64_t x, int64_t y, int64_t first, int64_t stride, float side) {
  const auto number = [&](int64_t i) { return map.at(x, y, first + i); };
  const float middle_x = (static_cast<float>(x) + 0.5f) * static_cast<float>(stride),
              middle_y = (static_cast<float>(y) + 0.5f) * static_cast<float>(stride);
  YuNetFace face;
  face.width = side * std::exp(number(2) * 0.1f);
  face.height = side * std::exp(number(3) * 0.2f);
  face.x = middle_x + number(0) * 0.1f * side - face.width / 2;
  face.y = middle_y + number(1) * 0.1f * side - face.height / 2;
  for (int64_t i = 0; i < 10; i += 2) {
    face.points[static_cast<size_t>(i)] = middle_x + number(4 + i) * 0.1f * side;
    face.points[static_cast<size_t>(i + 1)] = middle_y + number(5 + i) * 0.1f * side;
  }
  const float overlap = std::clamp(number(16), 0.f, 1.f);
  face.score = std::sqrt(sigmoid(number(15) - number(14)) * overlap);
  return face;
}

YuNetFace face_of_2023(const YuNetMap& map, int64_t x, int64_t y, int64_t step) {
  const auto number = [&](int64_t i) { return map.at(x, y, i); };
  const auto stride = static_cast<float>(step), column = static_cast<float>(x), row = static_cast<float>(y);
  YuNetFace face;
  face.width = std::exp(number(4)) * stride;
  face.height = std::exp(number(5)) * stride;
  face.x = (column + number(2)) * stride - face.width / 2;
  face.y = (row + number(3)) * stride - face.height / 2;
  for (int64_t i = 0; i < 10; i += 2) {
    face.points[static_cast<size_t>(i)] = (number(6 + i) + column) * stride;
    face.points[static_cast<size_t>(i + 1)] = (number(7 + i) + row) * stride;
  }
  face.score = std::sqrt(sigmoid(number(0)) * sigmoid(number(1)));
  return face;
}

// Whole pixels, as far from 0 as areas can be told exactly.
struct WholeBox {
  double left, top, right, bottom;

  explicit WholeBox(const YuNetFace& face) {
    const auto whole = [](float x) { return std::trunc(std::clamp(static_cast<double>(x), -1e7, 1e7)); };
    left = whole(face.x);
    top = whole(face.y);
    right = left + whole(face.width);
    bottom = top + whole(face.height);
  }
  double area() const { return (right - left) * (bottom - top); }
};

float overlap(const WholeBox& a, const WholeBox& b) {
  if (a.area() + b.area() <= 0) return 1;
  const double width = std::min(a.right, b.right) - std::max(a.left, b.left),
               height = std::min(a.bottom, b.bottom) - std::max(a.top, b.top);
  const double both = width > 0 && height > 0 ? width * height : 0;
  return 1 - static_cast<float>(1 - both / (a.area() + b.area() - both));
}

}  // namespace

std::vector<YuNetFace> decode(YuNetGeneration generation, const std::vector<YuNetMap>& maps,
                              float min_score) {
  std::vector<YuNetFace> faces;
  const auto add = [&](const YuNetFace& face) {
    if (face.score > min_score && is_finite(face)) faces.push_back(face);
  };
  const float least = least_logit(min_score);
  for (size_t i = 0; i < maps.size(); ++i) {
    const YuNetMap& map = maps[i];
    const int64_t stride = kFinestStride << i;
    for (int64_t y = 0; y < map.height; ++y) {
      for (int64_t x = 0; x < map.width; ++x) {
        if (generation == YuNetGeneration::k2023) {
          if (map.at(x, y, 0) > least) add(face_of_2023(map, x, y, stride));
          continue;
        }
        int64_t first = 0;
        for (const float side : kPriorSizes[i]) {
          if (side > 0 && map.at(x, y, first + 15) - map.at(x, y, first + 14) > least)
            add(face_of_2022(map, x, y, first, stride, side));
          first += 17;
        }
      }
    }
  }
  return faces;
}

std::vector<YuNetFace> best_of_each(std::vector<YuNetFace> faces) {
  std::ranges::stable_sort(faces, std::greater(), &YuNetFace::score);
  if (faces.size() > kMostFaces) faces.resize(kMostFaces);
  std::vector<YuNetFace> best;
  std::vector<WholeBox> boxes;
  for (const YuNetFace& face : faces) {
    const WholeBox box(face);
    if (std::ranges::any_of(boxes, [&](const WholeBox& other) { return overlap(box, other) > kMostOverlap; }))
      continue;
    best.push_back(face);
    boxes.push_back(box);
  }
  return best;
}

}  // namespace uir
