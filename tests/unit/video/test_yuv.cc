#include "uir/video/yuv.h"

#include <cmath>
#include <vector>

#include "support/catch.h"
#include "uir/base/random.h"

using namespace uir;

namespace {

// ITU-R BT.601 and BT.709 as they are written: E'Y and the colour differences from the codes, then R'G'B'.
std::array<double, 3> exact_rgb(double y, double u, double v, double red, double blue, bool full) {
  const double luma = full ? y / 255 : (y - 16) / 219, cb = (u - 128) / (full ? 255 : 224),
               cr = (v - 128) / (full ? 255 : 224);
  const double r = luma + 2 * (1 - red) * cr, b = luma + 2 * (1 - blue) * cb;
  const double g = (luma - red * r - blue * b) / (1 - red - blue);
  std::array<double, 3> rgb{r, g, b};
  for (double& value : rgb) value = std::clamp(255 * value, 0.0, 255.0);
  return rgb;
}

struct Coding {
  double red, blue;
  bool full;
};

}  // namespace

TEST_CASE("Every code of luma and chroma is within 0.6 of the standard's formulas", "[yuv]") {
  for (const auto& [red, blue, full] : {Coding{0.299, 0.114, false}, Coding{0.299, 0.114, true},
                                        Coding{0.2126, 0.0722, false}, Coding{0.2627, 0.0593, false}}) {
    const YuvWeights weights = yuv_weights(red, blue, full);
    double worst = 0;
    std::vector<uint8_t> y(256), u(256), v(256), rgb(256 * 3);
    for (int i = 0; i < 256; ++i) y[static_cast<size_t>(i)] = static_cast<uint8_t>(i);
    for (int chroma = 0; chroma < 65536; chroma += 7) {
      std::fill(u.begin(), u.end(), static_cast<uint8_t>(chroma >> 8));
      std::fill(v.begin(), v.end(), static_cast<uint8_t>(chroma));
      yuv_to_rgb({y.data(), u.data(), v.data(), 256, 256, 256, 1, 0, 0}, weights, {256, 1}, rgb.data());
      for (size_t i = 0; i < 256; ++i) {
        const auto expected = exact_rgb(y[i], u[i], v[i], red, blue, full);
        for (size_t c = 0; c < 3; ++c) worst = std::max(worst, std::abs(rgb[3 * i + c] - expected[c]));
      }
    }
    CAPTURE(red, full);
    CHECK(worst < 0.6);
  }
}

TEST_CASE("Chroma is shared by the pixels that it covers, odd sizes included", "[yuv]") {
  const YuvWeights weights = yuv_weights(0.299, 0.114, true);
  for (const ImageSize size : {ImageSize{7, 5}, ImageSize{8, 4}, ImageSize{1, 1}, ImageSize{33, 2}}) {
    for (const auto& [x_halvings, y_halvings, step] :
         {std::array{0, 0, 1}, std::array{1, 0, 1}, std::array{1, 1, 1}, std::array{1, 1, 2},
          std::array{2, 0, 1}}) {
      const int width = (size.width + (1 << x_halvings) - 1) >> x_halvings,
                height = (size.height + (1 << y_halvings) - 1) >> y_halvings;
      const auto pixels = static_cast<size_t>(size.width) * static_cast<size_t>(size.height);
      std::vector<uint8_t> y(pixels), chroma(static_cast<size_t>(2 * width * height));
      ItemRandom random(3, RandomPurpose::kTest, 0, pixels);
      for (uint8_t& value : y) value = static_cast<uint8_t>(random.uniform(0, 256));
      for (uint8_t& value : chroma) value = static_cast<uint8_t>(random.uniform(0, 256));
      const uint8_t *u = chroma.data(), *v = step == 2 ? u + 1 : u + width * height;
      std::vector<uint8_t> rgb(pixels * 3), one(3);
      yuv_to_rgb({y.data(), u, v, size.width, width * step, width * step, step, x_halvings, y_halvings},
                 weights, size, rgb.data());
      for (int row = 0; row < size.height; ++row) {
        for (int column = 0; column < size.width; ++column) {
          const auto at = static_cast<size_t>(row * size.width + column);
          const int c = ((row >> y_halvings) * width + (column >> x_halvings)) * step;
          yuv_to_rgb({&y[at], u + c, v + c, 1, 1, 1, 1, 0, 0}, weights, {1, 1}, one.data());
          REQUIRE(std::equal(one.begin(), one.end(), rgb.begin() + static_cast<std::ptrdiff_t>(3 * at)));
        }
      }
    }
  }
}

TEST_CASE("Without chroma all is grey", "[yuv]") {
  const std::vector<uint8_t> y{0, 16, 126, 235, 255};
  std::vector<uint8_t> rgb(15);
  yuv_to_rgb({y.data(), nullptr, nullptr, 5, 0, 0, 1, 0, 0}, yuv_weights(0.299, 0.114, false), {5, 1},
             rgb.data());
  CHECK(rgb == std::vector<uint8_t>{0, 0, 0, 0, 0, 0, 128, 128, 128, 255, 255, 255, 255, 255, 255});
}
