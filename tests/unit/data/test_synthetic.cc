#include "uir/data/synthetic.h"

#include <array>
#include <cmath>
#include <vector>

#include "support/catch.h"
#include "uir/data/loader.h"
#include "uir/pixels/pixels.h"

using namespace uir;

namespace {

std::vector<uint8_t> render(const SyntheticSource& source, int64_t identity, int64_t image) {
  std::vector<uint8_t> rgb(kImageBytes);
  render_synthetic_face(source, identity, image, rgb.data());
  return rgb;
}

// Distance of the centres of two faces (background and hair left out), each brought to mean 0 and deviation
// 1.
double face_distance(const std::vector<uint8_t>& a, const std::vector<uint8_t>& b) {
  const auto normalised = [](const std::vector<uint8_t>& rgb) {
    std::vector<double> values;
    for (size_t y = 38; y < 98; ++y) {
      for (size_t x = 30; x < 82; ++x) {
        for (size_t c = 0; c < 3; ++c) values.push_back(rgb[(y * 112 + x) * 3 + c]);
      }
    }
    double mean = 0, square = 0;
    for (double v : values) mean += v / static_cast<double>(values.size());
    for (double v : values) square += (v - mean) * (v - mean) / static_cast<double>(values.size());
    for (double& v : values) v = (v - mean) / std::sqrt(square);
    return values;
  };
  const std::vector<double> x = normalised(a), y = normalised(b);
  double sum = 0;
  for (size_t i = 0; i < x.size(); ++i) sum += (x[i] - y[i]) * (x[i] - y[i]);
  return sum / static_cast<double>(x.size());
}

}  // namespace

TEST_CASE("A synthetic face is a function of seed, person and image", "[synthetic]") {
  const SyntheticSource source;
  const std::vector<uint8_t> first = render(source, 4, 2);
  CHECK(render(source, 4, 2) == first);
  CHECK(render(source, 4, 3) != first);
  CHECK(render(source, 5, 2) != first);
  SyntheticSource other = source;
  other.seed = 2;
  CHECK(render(other, 4, 2) != first);
}

TEST_CASE("first_identity shifts the persons and the counts do not matter", "[synthetic]") {
  SyntheticSource late;
  late.first_identity = 100;
  late.identities = 3;
  late.images_per_identity = 5;
  CHECK(render(late, 2, 1) == render({}, 102, 1));
}

TEST_CASE("Faces fill the range of brightness without being saturated", "[synthetic]") {
  std::array<int64_t, 256> histogram{};
  for (int64_t i = 0; i < 50; ++i) {
    for (const uint8_t value : render({}, i, 0)) ++histogram[value];
  }
  const double total = 50.0 * kImageBytes;
  CHECK(static_cast<double>(histogram[0]) / total < 0.05);
  CHECK(static_cast<double>(histogram[255]) / total < 0.15);
}

TEST_CASE("Images of one person are closer than images of two, but not trivially", "[synthetic]") {
  double same = 0, different = 0;
  int confused = 0;
  constexpr int kPersons = 60;
  for (int64_t i = 0; i < kPersons; ++i) {
    const std::vector<uint8_t> anchor = render({}, i, 0);
    const double to_same = face_distance(anchor, render({}, i, 1));
    const double to_other = face_distance(anchor, render({}, i + kPersons, 1));
    same += to_same / kPersons;
    different += to_other / kPersons;
    confused += to_same > to_other;
  }
  CHECK(same < 0.92 * different);
  CHECK(confused > 2);  // comparing pixels is not enough
  CHECK(confused < kPersons / 2);
}
