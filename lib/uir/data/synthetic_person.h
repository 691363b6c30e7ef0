// Who is drawn, and how: the proportions, colors and styles of a person, and what varies from image to image.
// Units as in synthetic_canvas.h. Pure functions of the generator that is given.
#pragma once

#include "uir/base/random.h"
#include "uir/data/synthetic_canvas.h"

namespace uir::synthetic {

inline float draw(ItemRandom& random, float low, float high) {
  return static_cast<float>(random.uniform(low, high));
}

// Constant over all images of a person.
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

Person draw_person(ItemRandom random);

// Changes from image to image.
struct Pose {
  Placement place;
  float yaw, pitch;  // how far the features move on the head
  float smile, mouth_open, eyes_open, brow_raise, gaze;
  float light_x, light_y, light_strength, gain, contrast, warmth, noise;
  float hair_change;
  Color background, background_edge, clothes;
  bool glasses_off;
};

Pose draw_pose(ItemRandom random);

}  // namespace uir::synthetic
