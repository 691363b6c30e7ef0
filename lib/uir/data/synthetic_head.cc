#include "uir/data/synthetic_head.h"

#include <algorithm>
#include <cmath>

namespace uir::synthetic {
namespace {

// Where the features sit after the head turned: features move by yaw, those in front (nose) more.
struct Head {
  const Person& person;
  const Pose& pose;
  float turn(float depth) const { return pose.yaw * depth; }
  float nod(float depth) const { return pose.pitch * depth; }
};

// Half width of the face at height y: wide at the cheeks, narrower towards forehead and chin; below 0
// outside.
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

}  // namespace

void paint_head(Canvas& canvas, const Person& person, const Pose& pose, ItemRandom marks) {
  const Head head{person, pose};
  paint_background(canvas, pose);
  paint_hair_behind(canvas, head);
  paint_body(canvas, head);
  paint_ears(canvas, head);
  paint_face(canvas, head);
  paint_beard(canvas, head);
  paint_marks(canvas, head, marks);
  for (const float side : {-1.0f, 1.0f}) {
    paint_eye(canvas, head, side);
    paint_brow(canvas, head, side);
  }
  paint_nose(canvas, head);
  paint_mouth(canvas, head);
  paint_hair_in_front(canvas, head);
  paint_glasses(canvas, head);
}

}  // namespace uir::synthetic
