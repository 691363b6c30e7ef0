#include "uir/images/warp.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "support/catch.h"
#include "uir/base/file.h"
#include "uir/base/random.h"
#include "uir/images/align.h"
#include "uir/pixels/pixels.h"

using namespace uir;

namespace {

RgbImage noise(int width, int height) {
  RgbImage image{{width, height}, std::vector<uint8_t>(static_cast<size_t>(width * height * 3))};
  ItemRandom random(5, RandomPurpose::kTest, 0, static_cast<uint64_t>(width));
  for (uint8_t& value : image.pixels) value = static_cast<uint8_t>(random.uniform(0, 256));
  return image;
}

double pixel(const RgbImage& image, double x, double y, int c) {
  if (x < 0 || y < 0 || x >= image.size.width || y >= image.size.height) return 0;
  return image
      .pixels[(static_cast<size_t>(y) * static_cast<size_t>(image.size.width) + static_cast<size_t>(x)) * 3 +
              static_cast<size_t>(c)];
}

// Bilinear interpolation in float64 at the place that the inverse matrix gives, with black outside.
double exact(const RgbImage& image, const Similarity& s, int x, int y, int c) {
  const double det = s.a * s.a + s.b * s.b, dx = x - s.tx, dy = y - s.ty;
  const double px = (s.a * dx + s.b * dy) / det, py = (s.a * dy - s.b * dx) / det;
  const double i = std::floor(px), j = std::floor(py), f = px - i, g = py - j;
  return (1 - g) * ((1 - f) * pixel(image, i, j, c) + f * pixel(image, i + 1, j, c)) +
         g * ((1 - f) * pixel(image, i, j + 1, c) + f * pixel(image, i + 1, j + 1, c));
}

}  // namespace

TEST_CASE("The warp is within 0.64 of float64, borders included", "[warp]") {
  std::vector<uint8_t> rgb(kImageBytes);
  for (uint64_t trial = 0; trial < 60; ++trial) {
    ItemRandom random(11, RandomPurpose::kTest, 0, trial);
    const RgbImage image = noise(40 + static_cast<int>(trial) * 7, 90);
    const double scale = std::exp(random.uniform(-3, 2)), angle = random.uniform(-3.2, 3.2);
    const Similarity s{scale * std::cos(angle), scale * std::sin(angle), random.uniform(-40, 120),
                       random.uniform(-40, 120)};
    warp(image, s, rgb.data());
    double worst = 0;
    for (int i = 0; i < static_cast<int>(kImageBytes); ++i) {
      const double expected = exact(image, s, i / 3 % 112, i / 336, i % 3);
      worst = std::max(worst, std::abs(rgb[static_cast<size_t>(i)] - expected));
    }
    CAPTURE(trial, scale, angle);
    REQUIRE(worst <= 0.64);  // 0.51 and a slope of 255 in x and y over half of 1/2048 pixel
  }
}

TEST_CASE("Whole shifts and quarter turns copy", "[warp]") {
  const RgbImage image = noise(150, 140);
  std::vector<uint8_t> rgb(kImageBytes);
  warp(image, {1, 0, -7, -9}, rgb.data());
  for (int i = 0; i < static_cast<int>(kImageBytes); ++i)
    REQUIRE(rgb[static_cast<size_t>(i)] == pixel(image, i / 3 % 112 + 7, i / 336 + 9, i % 3));
  warp(image, {0, 1, 111, 0}, rgb.data());  // (x, y) -> (111 - y, x)
  for (int i = 0; i < static_cast<int>(kImageBytes); ++i)
    REQUIRE(rgb[static_cast<size_t>(i)] == pixel(image, i / 336, 111 - i / 3 % 112, i % 3));
}

// Inside and at the border other instructions work.
TEST_CASE("A black frame around the image changes nothing", "[warp]") {
  constexpr int kFrame = 3;
  const RgbImage image = noise(90, 80);
  RgbImage framed{{90 + 2 * kFrame, 80 + 2 * kFrame}, {}};
  framed.pixels.resize(framed.size.num_bytes());
  for (size_t y = 0; y < 80; ++y)
    std::copy_n(image.pixels.data() + y * 270, 270, framed.pixels.data() + ((y + kFrame) * 96 + kFrame) * 3);
  std::vector<uint8_t> plain(kImageBytes), other(kImageBytes);
  for (const auto& [a, b] :
       {std::pair{0.5, 0.0}, std::pair{0.0, 0.5}, std::pair{1.25, 0.0}, std::pair{-0.0, -1.0}}) {
    const double tx = 30.3, ty = 40.7;
    warp(image, {a, b, tx, ty}, plain.data());
    warp(framed, {a, b, tx - kFrame * (a - b), ty - kFrame * (b + a)}, other.data());
    CHECK(plain == other);
  }
}

TEST_CASE("Far away, tiny and huge: black or one pixel, never a crash", "[warp]") {
  const RgbImage image = noise(50, 60), dot{{1, 1}, {200, 100, 50}};
  std::vector<uint8_t> rgb(kImageBytes, 9);
  for (const Similarity& s :
       {Similarity{1, 0, 1e30, -1e30}, Similarity{1e-3, 0, -1e12, 1e12}, Similarity{1e-30, 1e-30, 1, 1}}) {
    warp(image, s, rgb.data());
    for (size_t i = 3 * 112 + 3; i < kImageBytes; ++i) REQUIRE(rgb[i] == 0);
  }
  warp(dot, {1e9, 0, 0, 0}, rgb.data());
  CHECK(rgb[0] == 200);
  CHECK(rgb[kImageBytes - 1] == 50);
  warp(dot, {1, 0, 20, 30}, rgb.data());
  for (size_t i = 0; i < kImageBytes; i += 3) REQUIRE(rgb[i] == (i == (30 * 112 + 20) * 3 ? 200 : 0));
}

// The same bytes wherever this is built: a change here changes every face that is aligned.
TEST_CASE("The warp's bytes are what they were", "[warp]") {
  std::vector<uint8_t> rgb(kImageBytes);
  align_face(noise(300, 260), {130, 140, 201, 146, 176, 190, 138, 224, 188, 229}, rgb.data());
  CHECK(checksum_hex(std::as_bytes(std::span(rgb))) == "e3d49db6bf134879");
}
