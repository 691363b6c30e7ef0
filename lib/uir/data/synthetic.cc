#include "uir/data/synthetic.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "uir/base/random.h"
#include "uir/data/loader.h"

namespace uir {
namespace {

// All lengths are in pixels of the aligned 112x112 face: x to the right and y down from kCenter, the point
// between eyes and mouth. Eyes lie at y = -20, the mouth at y = 20.
constexpr float kCenterX = 56, kCenterY = 72;
constexpr int kSide = static_cast<int>(kImageSize);

struct Color {
  float r = 0, g = 0, b = 0;
};
Color operator*(Color c, float f) { return {c.r * f, c.g * f, c.b * f}; }
Color mix(Color a, Color b, float t) {
  return {a.r + (b.r - a.r) * t, a.g + (b.g - a.g) * t, a.b + (b.b - a.b) * t};
}

float draw(ItemRandom& random, float low, float high) {
  return static_cast<float>(random.uniform(low, high));
}

// --- Who: constant over all images of a person -------------------------------------------------------------

struct Person {
  Color skin, hair, iris, lips, glasses_color;
  float face_width, jaw_width, chin_length, forehead, ear_size;
  float eye_spacing, eye_width, eye_height, eye_tilt, iris_size;
  float brow_height, brow_length, brow_thickness, brow_tilt, brow_arch;
  float nose_width, nose_length, nose_bridge;
  float mouth_width, upper_lip, lower_lip, mouth_drop;
  float hairline, fringe, hair_volume, hair_length, parting;
  float beard, freckles, mole_x, mole_y, mole_size, cheek;
  bool glasses, round_glasses, bald;
  float glasses_size;
};

Color draw_skin(ItemRandom& random) {
  constexpr std::array<Color, 5> kTones{
      {{250, 218, 196}, {232, 188, 152}, {205, 150, 110}, {150, 100, 70}, {98, 64, 46}}};
  const float tone = draw(random, 0, 3.999f);
  const auto i = static_cast<size_t>(tone);
  const Color skin = mix(kTones[i], kTones[i + 1], tone - static_cast<float>(i));
  return {skin.r * draw(random, 0.95f, 1.05f), skin.g, skin.b * draw(random, 0.92f, 1.08f)};
}

Color draw_hair(ItemRandom& random) {
  constexpr std::array<Color, 7> kColors{{{28, 24, 24},
                                          {58, 40, 30},
                                          {96, 62, 38},
                                          {140, 74, 40},
                                          {190, 150, 92},
                                          {222, 196, 150},
                                          {168, 166, 164}}};
  return kColors[random.below(kColors.size())] * draw(random, 0.8f, 1.15f);
}

Color draw_iris(ItemRandom& random) {
  constexpr std::array<Color, 5> kColors{
      {{62, 40, 26}, {96, 66, 36}, {92, 112, 66}, {84, 124, 164}, {112, 122, 128}}};
  return kColors[random.below(kColors.size())] * draw(random, 0.8f, 1.2f);
}

Person draw_person(ItemRandom random) {
  Person p{};
  p.skin = draw_skin(random);
  p.hair = draw_hair(random);
  p.iris = draw_iris(random);
  p.lips = mix(p.skin, {170, 60, 66}, draw(random, 0.3f, 0.75f));
  p.face_width = draw(random, 34, 43);
  p.jaw_width = draw(random, 0.55f, 0.95f);
  p.chin_length = draw(random, 36, 45);
  p.forehead = draw(random, 50, 60);
  p.ear_size = draw(random, 0.7f, 1.3f);
  p.eye_spacing = draw(random, 15.5f, 20.5f);
  p.eye_width = draw(random, 5.5f, 8.5f);
  p.eye_height = draw(random, 2.4f, 4.6f);
  p.eye_tilt = draw(random, -0.22f, 0.22f);
  p.iris_size = draw(random, 2.3f, 3.4f);
  p.brow_height = draw(random, 6.5f, 11.5f);
  p.brow_length = draw(random, 7, 11);
  p.brow_thickness = draw(random, 0.8f, 2.6f);
  p.brow_tilt = draw(random, -0.3f, 0.3f);
  p.brow_arch = draw(random, 0, 3);
  p.nose_width = draw(random, 4.5f, 9);
  p.nose_length = draw(random, -3, 5);
  p.nose_bridge = draw(random, 1.5f, 3.5f);
  p.mouth_width = draw(random, 10, 18);
  p.upper_lip = draw(random, 1.2f, 3.4f);
  p.lower_lip = draw(random, 1.6f, 4.4f);
  p.mouth_drop = draw(random, -2.5f, 2.5f);
  p.hairline = draw(random, -48, -36);
  p.fringe = random.chance(0.35) ? draw(random, 4, 13) : 0;
  p.hair_volume = draw(random, 1, 9);
  p.hair_length = random.chance(0.5) ? draw(random, -25, 0) : draw(random, 15, 60);
  p.parting = draw(random, -1, 1);
  p.bald = random.chance(0.08);
  p.beard = random.chance(0.25) ? draw(random, 0.25f, 0.9f) : 0;
  p.freckles = random.chance(0.15) ? draw(random, 0.3f, 1) : 0;
  p.mole_x = draw(random, -26, 26);
  p.mole_y = draw(random, -8, 30);
  p.mole_size = random.chance(0.3) ? draw(random, 0.8f, 1.6f) : 0;
  p.cheek = draw(random, 0, 0.35f);
  p.glasses = random.chance(0.25);
  p.round_glasses = random.chance(0.5);
  p.glasses_size = draw(random, 9, 12.5f);
  p.glasses_color = random.chance(0.6) ? Color{30, 28, 30} : Color{150, 110, 60};
  return p;
}

// --- How: changes from image to image ----------------------------------------------------------------------

struct Pose {
  float cosine, sine, x, y;  // image pixel -> face coordinates
  float yaw, pitch;          // how far the features move on the head
  float smile, mouth_open, eyes_open, brow_raise, gaze;
  float light_x, light_y, light_strength, gain, contrast, warmth, noise;
  float hair_change;
  Color background, background_edge, clothes;
  bool glasses_off;
};

Color draw_color(ItemRandom& random, float low, float high) {
  return {draw(random, low, high), draw(random, low, high), draw(random, low, high)};
}

Pose draw_pose(ItemRandom random) {
  Pose p{};
  const float angle = 0.08f * static_cast<float>(random.normal());
  const float scale = draw(random, 0.93f, 1.08f);
  p.cosine = std::cos(angle) / scale;
  p.sine = std::sin(angle) / scale;
  p.x = kCenterX + draw(random, -3, 3);
  p.y = kCenterY + draw(random, -3, 3);
  p.yaw = draw(random, -6, 6);
  p.pitch = draw(random, -3, 3);
  p.smile = draw(random, -1, 3.5f);
  p.mouth_open = random.chance(0.4) ? draw(random, 0, 5) : 0;
  p.eyes_open = random.chance(0.05) ? 0.15f : draw(random, 0.75f, 1.15f);
  p.brow_raise = draw(random, -1.2f, 1.8f);
  p.gaze = draw(random, -1.8f, 1.8f);
  p.light_x = draw(random, -1, 1);
  p.light_y = draw(random, -1, 0.3f);
  p.light_strength = draw(random, 0.1f, 0.45f);
  p.gain = draw(random, 0.7f, 1.2f);
  p.contrast = draw(random, 0.75f, 1.1f);
  p.warmth = draw(random, -0.08f, 0.08f);
  p.noise = draw(random, 2, 12);
  p.hair_change = draw(random, -2, 2);
  p.background = draw_color(random, 30, 230);
  p.background_edge = draw_color(random, 30, 230);
  p.clothes = draw_color(random, 20, 210);
  p.glasses_off = random.chance(0.2);
  return p;
}

// --- The canvas ---------------------------------------------------------------------------------------------

// A box in face coordinates.
struct Box {
  float left, top, right, bottom;
};

class Canvas {
 public:
  explicit Canvas(const Pose& pose) : pose_(pose) {}

  // Lays `color` over the pixels of the box as far as cover(x, y) says (below 0 nothing, from 1 on all of it).
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
      float x = pose_.cosine * (static_cast<float>(left) - pose_.x) +
                pose_.sine * (static_cast<float>(row) - pose_.y);
      float y = -pose_.sine * (static_cast<float>(left) - pose_.x) +
                pose_.cosine * (static_cast<float>(row) - pose_.y);
      Color* pixel = &pixels_[static_cast<size_t>(row * kSide + left)];
      for (int column = left; column < right; ++column, ++pixel, x += pose_.cosine, y -= pose_.sine) {
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
    const float norm = pose_.cosine * pose_.cosine + pose_.sine * pose_.sine;
    const float c = pose_.cosine / norm, s = pose_.sine / norm;
    const float middle_x = (box.left + box.right) / 2, middle_y = (box.top + box.bottom) / 2;
    const float half_x = (box.right - box.left) / 2, half_y = (box.bottom - box.top) / 2;
    const float x = pose_.x + c * middle_x - s * middle_y, y = pose_.y + s * middle_x + c * middle_y;
    const float reach_x = std::abs(c) * half_x + std::abs(s) * half_y + 1;
    const float reach_y = std::abs(s) * half_x + std::abs(c) * half_y + 1;
    const auto clamp = [](float v) {
      return static_cast<int>(std::clamp(v, 0.0f, static_cast<float>(kSide)));
    };
    return {clamp(x - reach_x), clamp(y - reach_y), clamp(x + reach_x + 1), clamp(y + reach_y + 1)};
  }

  const Pose& pose_;
  std::array<Color, kImageSize * kImageSize> pixels_;
};

constexpr Box kEverything{-200, -200, 200, 200};

Box around(float x, float y, float reach_x, float reach_y) {
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

void paint_ellipse(Canvas& canvas, float x0, float y0, float a, float b, Color color, float strength = 1) {
  const Ellipse ellipse(a, b);
  canvas.paint(around(x0, y0, a + 1, b + 1), color,
               [&](float x, float y) { return strength * ellipse(x - x0, y - y0); });
}

// --- Parts of a head, from back to front ---------------------------------------------------------------------

// Where the features sit after the head turned: features move by yaw, those in front (nose) more.
struct Head {
  const Person& person;
  const Pose& pose;
  float turn(float depth) const { return pose.yaw * depth; }
  float nod(float depth) const { return pose.pitch * depth; }
};

// Half width of the face at height y: wide at the cheeks, narrower towards forehead and chin; below 0 outside.
float half_width(const Person& p, float y) {
  const float t = y < -10 ? (y + 10) / (p.forehead - 10) : (y + 10) / (p.chin_length + 10);
  if (t <= -1 || t >= 1) return -1;
  if (t < 0) return p.face_width * std::sqrt(1 + t * t * t);
  const float round = std::sqrt(1 - t * t);
  return p.face_width * (round * p.jaw_width + (1 - t * t * t) * (1 - p.jaw_width));
}

void paint_background(Canvas& canvas, const Pose& pose) {
  canvas.shade(kEverything, [&](float x, float y, Color& pixel) {
    const float t = std::clamp((x * pose.light_x + y * 0.5f) / 90 + 0.5f, 0.0f, 1.0f);
    pixel = mix(pose.background, pose.background_edge, t);
  });
}

void paint_hair_behind(Canvas& canvas, const Head& head) {
  const Person& p = head.person;
  if (p.bald) return;
  const float width = p.face_width + p.hair_volume + head.pose.hair_change * 0.5f;
  const float top = p.forehead + p.hair_volume;
  const Ellipse skull(width, top - 10);
  canvas.paint({-width - 1, -top - 1, width + 1, p.hair_length}, p.hair * 0.75f, [&](float x, float y) {
    if (y > p.hair_length) return 0.0f;
    return y < -10 ? skull(x, y + 10) : width - std::abs(x) + 0.5f;
  });
}

void paint_body(Canvas& canvas, const Head& head) {
  const Person& p = head.person;
  const float neck = p.face_width * 0.62f;
  canvas.paint({-neck - 2, 10, neck + 2, 90}, p.skin * 0.72f,
               [&](float x, float) { return neck - std::abs(x); });
  canvas.paint({-90, 44, 90, 90}, head.pose.clothes, [&](float x, float y) {
    return y - 47 + std::abs(x) * 0.05f - std::max(0.0f, 14 - std::abs(x)) * 0.5f;
  });
}

void paint_ears(Canvas& canvas, const Head& head) {
  const Person& p = head.person;
  for (const float side : {-1.0f, 1.0f}) {
    const float x0 = side * (p.face_width - 0.5f) - head.turn(0.3f);
    paint_ellipse(canvas, x0, -12, 4.5f * p.ear_size, 9 * p.ear_size, p.skin * 0.85f);
  }
}

void paint_face(Canvas& canvas, const Head& head) {
  const Person& p = head.person;
  const Pose& pose = head.pose;
  const Box box{-p.face_width - 2, -p.forehead - 2, p.face_width + 2, p.chin_length + 2};
  const Color flush = mix(p.skin, {210, 80, 80}, 0.5f);
  canvas.shade(box, [&](float x, float y, Color& pixel) {
    const float width = half_width(p, y);
    const float cover = std::min(width - std::abs(x) + 0.5f, 1.0f);
    if (cover <= 0) return;
    const float u = x / p.face_width, v = y / p.chin_length;
    const float light = 1.04f + pose.light_strength * (u * pose.light_x + v * pose.light_y) -
                        0.28f * u * u * u * u - 0.1f * v * v;
    const float cheek_x = std::abs(x - head.turn(0.5f)) - 20, cheek_y = y - 4;
    const float cheek = std::max(0.0f, 1 - (cheek_x * cheek_x + cheek_y * cheek_y) / 90) * p.cheek;
    pixel = mix(pixel, mix(p.skin, flush, cheek) * light, cover);
  });
}

void paint_beard(Canvas& canvas, const Head& head) {
  const Person& p = head.person;
  if (p.beard == 0) return;
  const Color color = mix(p.skin, p.hair, p.beard);
  const Ellipse shaved(16, 12);  // around the mouth
  canvas.paint({-p.face_width, 4, p.face_width, p.chin_length + 1}, color, [&](float x, float y) {
    const float inside = half_width(p, y) - std::abs(x);
    const float from_mouth = shaved(x - head.turn(0.7f), y - 17);
    return inside < 0 || y < 9 + 0.2f * std::abs(x) ? 0.0f
                                                    : std::min(inside * 0.4f, -from_mouth * 0.25f + 0.5f);
  });
}

void paint_marks(Canvas& canvas, const Head& head, ItemRandom random) {
  const Person& p = head.person;
  const auto dot = [&](float x, float y, float size, float darkness) {
    paint_ellipse(canvas, x + head.turn(0.6f), y + head.nod(0.6f), size, size, p.skin * darkness);
  };
  if (p.mole_size > 0) dot(p.mole_x, p.mole_y, p.mole_size, 0.4f);
  for (int i = 0; i < static_cast<int>(p.freckles * 24); ++i) {
    const float x = draw(random, -24, 24), y = draw(random, -12, 6);
    dot(x, y, 0.7f, 0.78f);
  }
}

void paint_eye(Canvas& canvas, const Head& head, float side) {
  const Person& p = head.person;
  const float x0 = side * p.eye_spacing + head.turn(0.7f), y0 = -20 + head.nod(0.7f);
  const float tilt = side * p.eye_tilt, open = p.eye_height * head.pose.eyes_open;
  const Box box = around(x0, y0, p.eye_width + 3, p.eye_height + 4);
  const auto tilted = [&](float x, float y) { return y - y0 + tilt * (x - x0); };
  const auto lid = [&](float x, float y) {  // almond: two arcs meeting at the corners
    const float u = (x - x0) / p.eye_width;
    return std::min(1.0f, open * (1 - u * u) - std::abs(tilted(x, y)) + 0.3f);
  };
  const Ellipse socket(p.eye_width + 2.5f, p.eye_height + 2.5f), iris(p.iris_size, p.iris_size),
      pupil(p.iris_size * 0.45f, p.iris_size * 0.45f);
  const float gaze = x0 + head.pose.gaze + head.turn(0.08f);
  canvas.paint(around(x0, y0 - 1, p.eye_width + 3, p.eye_height + 5), p.skin * 0.7f,
               [&](float x, float y) { return 0.2f * socket(x - x0, tilted(x, y) + 1); });
  canvas.paint(box, {238, 236, 232}, lid);
  canvas.paint(box, p.iris, [&](float x, float y) { return std::min(lid(x, y), iris(x - gaze, y - y0)); });
  canvas.paint(box, {12, 10, 10},
               [&](float x, float y) { return std::min(lid(x, y), pupil(x - gaze, y - y0)); });
  canvas.paint(box, p.hair * 0.4f, [&](float x, float y) {  // upper lashes
    const float u = (x - x0) / p.eye_width;
    return u * u > 1.1f ? 0.0f : 1.1f - std::abs(tilted(x, y) + open * (1 - u * u));
  });
}

void paint_brow(Canvas& canvas, const Head& head, float side) {
  const Person& p = head.person;
  const float x0 = side * (p.eye_spacing + 0.5f) + head.turn(0.75f);
  const float y0 = -20 - p.brow_height - head.pose.brow_raise + head.nod(0.7f);
  canvas.paint(around(x0, y0, p.brow_length + 2, p.brow_arch + p.brow_thickness + 4),
               mix(p.hair * 0.7f, p.skin, 0.15f), [&](float x, float y) {
                 const float u = (x - x0) / p.brow_length;
                 const float v = y - y0 + side * p.brow_tilt * (x - x0) + p.brow_arch * (0.5f - u * u);
                 return u * u > 1 ? 0.0f : p.brow_thickness * (1 - 0.7f * u * u) - std::abs(v) + 0.4f;
               });
}

void paint_nose(Canvas& canvas, const Head& head) {
  const Person& p = head.person;
  const float tip_x = head.turn(1.2f), tip_y = p.nose_length + head.nod(1.2f);
  const float shadow = head.pose.light_x > 0 ? -1.0f : 1.0f;
  canvas.paint({-20, -20, 20, tip_y}, p.skin * 0.8f, [&](float x, float y) {  // shadowed side of the bridge
    const float t = std::clamp((y + 20) / (tip_y + 20), 0.0f, 1.0f);
    const float ridge = head.turn(0.8f) + (tip_x - head.turn(0.8f)) * t;
    const float side = (x - ridge) * shadow,
                width = p.nose_bridge + (p.nose_width * 0.6f - p.nose_bridge) * t;
    return side < 0 || side > width ? 0.0f : 0.75f * (1 - side / width);
  });
  paint_ellipse(canvas, tip_x, tip_y, p.nose_width, 4.5f, p.skin * 0.84f, 0.55f);
  paint_ellipse(canvas, tip_x, tip_y - 1.5f, p.nose_width * 0.7f, 3.6f, p.skin * 1.06f, 0.35f);
  for (const float side : {-1.0f, 1.0f}) {
    paint_ellipse(canvas, tip_x + side * p.nose_width * 0.5f, tip_y + 2.4f, p.nose_width * 0.26f, 1.2f,
                  p.skin * 0.4f);
  }
}

void paint_mouth(Canvas& canvas, const Head& head) {
  const Person& p = head.person;
  const Pose& pose = head.pose;
  const float x0 = head.turn(0.8f), y0 = 19 + p.mouth_drop + head.nod(0.8f);
  const float width = p.mouth_width + 0.5f * pose.smile, gap = pose.mouth_open * 0.5f;
  const Box box = around(x0, y0, width + 2, p.lower_lip + p.upper_lip + pose.mouth_open + 6);
  const auto lips = [&](float x, float y, float upper, float lower) {
    const float u = (x - x0) / width;
    const float taper = 1 - u * u;
    const float v = y - y0 + pose.smile * u * u;
    return taper <= 0 ? 0.0f : (v < 0 ? upper * taper + v : lower * taper - v) + 0.3f;
  };
  canvas.paint(box, p.lips,
               [&](float x, float y) { return lips(x, y, p.upper_lip + gap, p.lower_lip + gap); });
  canvas.paint(box, {70, 24, 26}, [&](float x, float y) { return lips(x, y, gap + 0.25f, gap + 0.25f); });
  if (pose.mouth_open > 1.5f) {
    canvas.paint(box, {236, 230, 220}, [&](float x, float y) {
      return y < y0 - pose.smile * 0.2f ? lips(x, y, gap - 0.3f, 0) : 0.0f;
    });
  }
}

void paint_hair_in_front(Canvas& canvas, const Head& head) {
  const Person& p = head.person;
  if (p.bald) return;
  const float width = p.face_width + p.hair_volume, top = p.forehead + p.hair_volume;
  const Ellipse skull(width, top - 10);
  canvas.paint({-width - 1, -top - 1, width + 1, p.hair_length < 0 ? p.hair_length : 0}, p.hair,
               [&](float x, float y) {
                 const float parted = 0.006f * (x - p.parting * 22) * (x - p.parting * 22);
                 const float sides = std::max(0.0f, std::abs(x) - p.face_width * 0.78f) * 3;
                 const float edge =
                     p.hairline + head.pose.hair_change + p.fringe + std::min(parted, 14.0f) + sides;
                 return std::min(skull(x, y + 10), (edge - y) * 0.7f);
               });
}

void paint_glasses(Canvas& canvas, const Head& head) {
  const Person& p = head.person;
  if (!p.glasses || head.pose.glasses_off) return;
  const float y0 = -19 + head.nod(0.8f), middle = head.turn(0.9f), size = p.glasses_size;
  const float height = p.round_glasses ? size * 0.95f : size * 0.68f;
  canvas.paint(
      {-p.face_width, y0 - size - 2, p.face_width, y0 + size + 2}, p.glasses_color, [&](float x, float y) {
        const float u = (std::abs(x - middle) - p.eye_spacing) / size, v = (y - y0) / height;
        const float r =
            p.round_glasses ? std::sqrt(u * u + v * v) : std::sqrt(std::sqrt(u * u * u * u + v * v * v * v));
        const float rim = 1.1f - std::abs(r - 1) * height;
        const bool bar = r > 1 && std::abs(y - y0 + 2) < 1.2f;
        return bar ? 1.0f : rim;
      });
}

// --- The camera -----------------------------------------------------------------------------------------------

void expose(const Canvas& canvas, const Pose& pose, ItemRandom random, uint8_t* rgb) {
  const float gain = pose.gain * pose.contrast, offset = 128 * (1 - pose.contrast) + 0.5f;
  const float red = gain * (1 + pose.warmth), blue = gain * (1 - pose.warmth);
  std::array<float, kImageBytes> light;
  float* out = light.data();
  for (const Color& pixel : canvas.pixels()) {
    *out++ = pixel.r * red + offset;
    *out++ = pixel.g * gain + offset;
    *out++ = pixel.b * blue + offset;
  }
  std::array<uint64_t, kImageBytes / 4> noise;  // four uniform 16-bit numbers each
  for (uint64_t& bits : noise) bits = random.next();
  const float scale = pose.noise / 65536.0f;
  for (size_t i = 0; i < kImageBytes; ++i) {
    const auto number = static_cast<uint16_t>(noise[i / 4] >> (16 * (i % 4)));
    const float value = light[i] + (static_cast<float>(number) - 32767.5f) * scale;
    rgb[i] = static_cast<uint8_t>(std::clamp(value, 0.0f, 255.0f));
  }
}

}  // namespace

void render_synthetic_face(const SyntheticSource& source, int64_t identity, int64_t image, uint8_t* rgb) {
  const auto person_number = static_cast<uint64_t>(source.first_identity + identity);
  const uint64_t person_seed = mix64(source.seed) ^ person_number;
  const ItemRandom of_person(source.seed, RandomPurpose::kSynthetic, 0, person_number);
  const auto of_image = [&](uint64_t purpose) {
    return ItemRandom(person_seed, RandomPurpose::kSynthetic, purpose, static_cast<uint64_t>(image));
  };
  const Person person = draw_person(of_person);
  const Pose pose = draw_pose(of_image(1));
  const Head head{person, pose};
  Canvas canvas(pose);
  paint_background(canvas, pose);
  paint_hair_behind(canvas, head);
  paint_body(canvas, head);
  paint_ears(canvas, head);
  paint_face(canvas, head);
  paint_beard(canvas, head);
  paint_marks(canvas, head, of_person);
  for (const float side : {-1.0f, 1.0f}) {
    paint_eye(canvas, head, side);
    paint_brow(canvas, head, side);
  }
  paint_nose(canvas, head);
  paint_mouth(canvas, head);
  paint_hair_in_front(canvas, head);
  paint_glasses(canvas, head);
  expose(canvas, pose, of_image(2), rgb);
}

}  // namespace uir
