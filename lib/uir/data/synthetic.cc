#include "uir/data/synthetic.h"

#include <algorithm>
#include <array>

#include "uir/base/random.h"
#include "uir/data/synthetic_head.h"
#include "uir/pixels/pixels.h"

namespace uir {
namespace {

// The camera: light, contrast and noise.
void expose(const synthetic::Canvas& canvas, const synthetic::Pose& pose, ItemRandom random, uint8_t* rgb) {
  const float gain = pose.gain * pose.contrast, offset = 128 * (1 - pose.contrast) + 0.5f;
  const float red = gain * (1 + pose.warmth), blue = gain * (1 - pose.warmth);
  std::array<float, kImageBytes> light;
  float* out = light.data();
  for (const synthetic::Color& pixel : canvas.pixels()) {
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
  const synthetic::Person person = synthetic::draw_person(of_person);
  const synthetic::Pose pose = synthetic::draw_pose(of_image(1));
  synthetic::Canvas canvas(pose.place);
  synthetic::paint_head(canvas, person, pose, of_person);
  expose(canvas, pose, of_image(2), rgb);
}

}  // namespace uir
