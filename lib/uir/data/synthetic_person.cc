#include "uir/data/synthetic_person.h"

#include <array>
#include <cmath>

namespace uir::synthetic {
namespace {

// Where the point between eyes and mouth lies in a picture that is not moved [pixels].
constexpr float kCenterX = 56, kCenterY = 72;

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

Color draw_color(ItemRandom& random, float low, float high) {
  return {draw(random, low, high), draw(random, low, high), draw(random, low, high)};
}

}  // namespace

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

Pose draw_pose(ItemRandom random) {
  Pose p{};
  const float angle = 0.08f * static_cast<float>(random.normal());
  const float scale = draw(random, 0.93f, 1.08f);
  p.place.cosine = std::cos(angle) / scale;
  p.place.sine = std::sin(angle) / scale;
  p.place.x = kCenterX + draw(random, -3, 3);
  p.place.y = kCenterY + draw(random, -3, 3);
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

}  // namespace uir::synthetic
