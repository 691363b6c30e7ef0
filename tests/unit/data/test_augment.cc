#include "uir/data/augment.h"

#include <cmath>
#include <numeric>
#include <set>
#include <vector>

#include "support/catch.h"
#include "uir/data/loader.h"
#include "uir/data/synthetic.h"
#include "uir/pixels/pixels.h"

using namespace uir;

namespace {

std::vector<uint8_t> face() {
  std::vector<uint8_t> rgb(kImageBytes);
  render_synthetic_face({}, 3, 1, rgb.data());
  return rgb;
}

std::vector<uint8_t> augmented(const AugmentConfig& config, uint64_t seed, uint64_t epoch, int64_t row) {
  std::vector<uint8_t> rgb = face();
  augment_face(config, seed, epoch, row, rgb.data());
  return rgb;
}

std::vector<uint8_t> mirrored(std::vector<uint8_t> rgb) {
  mirror_face(rgb.data());
  return rgb;
}

AugmentConfig nothing() {
  AugmentConfig config;
  config.mirror = false;
  return config;
}

double mean_difference(const std::vector<uint8_t>& a, const std::vector<uint8_t>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += std::abs(a[i] - b[i]);
  return sum / static_cast<double>(a.size());
}

// Mean absolute difference of neighbours: how much fine detail there is.
double detail(const std::vector<uint8_t>& rgb) {
  double sum = 0;
  for (size_t i = 3; i < rgb.size(); ++i) sum += std::abs(rgb[i] - rgb[i - 3]);
  return sum / static_cast<double>(rgb.size());
}

}  // namespace

TEST_CASE("Mirroring exchanges left and right", "[augment]") {
  const std::vector<uint8_t> before = face(), after = mirrored(before);
  for (size_t y = 0; y < 112; ++y) {
    for (size_t x = 0; x < 112; ++x) {
      for (size_t c = 0; c < 3; ++c)
        REQUIRE(after[(y * 112 + x) * 3 + c] == before[(y * 112 + 111 - x) * 3 + c]);
    }
  }
  CHECK(mirrored(after) == before);
}

TEST_CASE("By default half of the images are mirrored and nothing else happens", "[augment]") {
  const std::vector<uint8_t> plain = face(), flipped = mirrored(plain);
  int flips = 0;
  for (int64_t row = 0; row < 400; ++row) {
    const std::vector<uint8_t> result = augmented({}, 5, 2, row);
    REQUIRE((result == plain || result == flipped));
    flips += result == flipped;
  }
  CHECK(std::abs(flips - 200) < 40);  // four standard deviations
  CHECK(augmented(nothing(), 5, 2, 17) == plain);
}

TEST_CASE("An augmentation is a function of seed, epoch and row", "[augment]") {
  AugmentConfig all;
  all.crop = all.color = all.low_resolution = all.jpeg = all.blur = all.occlusion = 0.7;
  const std::vector<uint8_t> first = augmented(all, 1, 2, 3);
  CHECK(augmented(all, 1, 2, 3) == first);
  CHECK(augmented(all, 2, 2, 3) != first);
  CHECK(augmented(all, 1, 3, 3) != first);
  CHECK(augmented(all, 1, 2, 4) != first);
}

TEST_CASE("A crop shows a part of the image", "[augment]") {
  AugmentConfig config = nothing();
  config.crop = 1;
  config.crop_min_area = 0.5;
  CHECK(mean_difference(augmented(config, 1, 0, 0), face()) > 1);
  config.crop_min_area = 1;  // the whole area, but the aspect ratio may still cut
  std::vector<uint8_t> grey(kImageBytes, 77);
  augment_face(config, 1, 0, 5, grey.data());
  CHECK(grey == std::vector<uint8_t>(kImageBytes, 77));
}

TEST_CASE("Color changes stay within their strength", "[augment]") {
  AugmentConfig config = nothing();
  config.color = 1;
  config.color_strength = 0;
  CHECK(augmented(config, 1, 0, 0) == face());
  config.color_strength = 0.3;
  std::set<uint8_t> levels;
  for (int64_t row = 0; row < 200; ++row) {
    std::vector<uint8_t> grey(kImageBytes, 100);  // contrast and saturation do not change a grey image
    augment_face(config, 1, 0, row, grey.data());
    REQUIRE(grey == std::vector<uint8_t>(kImageBytes, grey[0]));
    levels.insert(grey[0]);
  }
  CHECK(*levels.begin() >= 70);
  CHECK(*levels.begin() < 75);
  CHECK(*levels.rbegin() <= 130);
  CHECK(*levels.rbegin() > 125);
}

TEST_CASE("Low resolution, blur and JPEG remove detail but keep the picture", "[augment]") {
  for (double AugmentConfig::*field :
       {&AugmentConfig::low_resolution, &AugmentConfig::blur, &AugmentConfig::jpeg}) {
    AugmentConfig config = nothing();
    config.*field = 1;
    double kept = 0;
    for (int64_t row = 0; row < 20; ++row) {
      const std::vector<uint8_t> result = augmented(config, 1, 0, row);
      REQUIRE(result != face());
      REQUIRE(mean_difference(result, face()) < 25);
      kept += detail(result) / detail(face()) / 20;
    }
    CHECK(kept < 0.95);
  }
}

TEST_CASE("An occlusion covers 5 to 25 percent in one grey", "[augment]") {
  AugmentConfig config = nothing();
  config.occlusion = 1;
  for (int64_t row = 0; row < 100; ++row) {
    std::vector<uint8_t> rgb(kImageBytes);
    for (size_t i = 0; i < rgb.size(); ++i) rgb[i] = static_cast<uint8_t>(i % 3 * 100);  // nowhere grey
    const std::vector<uint8_t> before = rgb;
    augment_face(config, 1, 0, row, rgb.data());
    int covered = 0;
    for (size_t i = 0; i < rgb.size(); i += 3) {
      if (rgb[i] == before[i] && rgb[i + 1] == before[i + 1] && rgb[i + 2] == before[i + 2]) continue;
      REQUIRE(rgb[i] == rgb[i + 1]);
      REQUIRE(rgb[i] == rgb[i + 2]);
      ++covered;
    }
    REQUIRE(covered > 0.045 * 112 * 112);
    REQUIRE(covered < 0.26 * 112 * 112);
  }
}
