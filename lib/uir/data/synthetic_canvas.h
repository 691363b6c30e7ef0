// What drawn faces are painted with: colors, shapes with soft edges, and a canvas in the coordinates of a
// face.
//
// All lengths are in pixels of the aligned 112x112 face: x to the right and y down from the point between
// eyes and mouth. Eyes lie at y = -20, the mouth at y = 20. Colors are RGB, 0 … 255.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "uir/pixels/pixels.h"

namespace uir::synthetic {

struct Color {
  float r = 0, g = 0, b = 0;
};
inline Color operator*(Color c, float f) { return {c.r * f, c.g * f, c.b * f}; }
inline Color mix(Color a, Color b, float t) {
  return {a.r + (b.r - a.r) * t, a.g + (b.g - a.g) * t, a.b + (b.b - a.b) * t};
}

// Where a face lies in the picture: image pixel -> face coordinates.
struct Placement {
  float cosine, sine, x, y;
};

inline constexpr int kSide = static_cast<int>(kImageSize);

// A box in face coordinates.
struct Box {
  float left, top, right, bottom;
};

class Canvas {
 public:
  explicit Canvas(const Placement& placement) : place_(placement) {}

  // Lays `color` over the pixels of the box as far as cover(x, y) says (below 0 nothing, from 1 on all of
  // it).
  template <class Cover>
  void paint(Box box, Color color, Cover&& cover) {
    shade(box, [&](float x, float y, Color& pixel) {
      const float c = cover(x, y);
      if (c > 0) pixel = mix(pixel, color, std::min(c, 1.0f));
    });
  }

  // Calls change(x, y, pixel) for every pixel of the box.
  template <class Change>
  void shade(Box box, Change&& change) {
    const auto [left, top, right, bottom] = bounds(box);
    for (int row = top; row < bottom; ++row) {
      float x = place_.cosine * (static_cast<float>(left) - place_.x) +
                place_.sine * (static_cast<float>(row) - place_.y);
      float y = -place_.sine * (static_cast<float>(left) - place_.x) +
                place_.cosine * (static_cast<float>(row) - place_.y);
      Color* pixel = &pixels_[static_cast<size_t>(row * kSide + left)];
      for (int column = left; column < right; ++column, ++pixel, x += place_.cosine, y -= place_.sine) {
        change(x, y, *pixel);
      }
    }
  }

  const std::array<Color, kImageSize * kImageSize>& pixels() const { return pixels_; }

 private:
  struct PixelBox {
    int left, top, right, bottom;
  };
  // The pixels that may lie in the box: bounds of its four rotated corners.
  PixelBox bounds(Box box) const {
    const float norm = place_.cosine * place_.cosine + place_.sine * place_.sine;
    const float c = place_.cosine / norm, s = place_.sine / norm;
    const float middle_x = (box.left + box.right) / 2, middle_y = (box.top + box.bottom) / 2;
    const float half_x = (box.right - box.left) / 2, half_y = (box.bottom - box.top) / 2;
    const float x = place_.x + c * middle_x - s * middle_y, y = place_.y + s * middle_x + c * middle_y;
    const float reach_x = std::abs(c) * half_x + std::abs(s) * half_y + 1;
    const float reach_y = std::abs(s) * half_x + std::abs(c) * half_y + 1;
    const auto clamp = [](float v) {
      return static_cast<int>(std::clamp(v, 0.0f, static_cast<float>(kSide)));
    };
    return {clamp(x - reach_x), clamp(y - reach_y), clamp(x + reach_x + 1), clamp(y + reach_y + 1)};
  }

  const Placement place_;
  std::array<Color, kImageSize * kImageSize> pixels_;
};

inline constexpr Box kEverything{-200, -200, 200, 200};

inline Box around(float x, float y, float reach_x, float reach_y) {
  return {x - reach_x, y - reach_y, x + reach_x, y + reach_y};
}

// Coverage of an ellipse around the origin with an edge about one pixel wide.
class Ellipse {
 public:
  Ellipse(float a, float b) : inverse_a2_(1 / (a * a)), inverse_b2_(1 / (b * b)), edge_(std::min(a, b)) {}
  float operator()(float x, float y) const {
    return (1 - std::sqrt(x * x * inverse_a2_ + y * y * inverse_b2_)) * edge_ + 0.5f;
  }

 private:
  float inverse_a2_, inverse_b2_, edge_;
};

inline void paint_ellipse(Canvas& canvas, float x0, float y0, float a, float b, Color color,
                          float strength = 1) {
  const Ellipse ellipse(a, b);
  canvas.paint(around(x0, y0, a + 1, b + 1), color,
               [&](float x, float y) { return strength * ellipse(x - x0, y - y0); });
}

}  // namespace uir::synthetic
