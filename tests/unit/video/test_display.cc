#include "uir/video/display.h"

#include <vector>

#include "support/catch.h"

using namespace uir;

// The definition: the stored pixel (x, y) is shown at (a x + c y, b x + d y), moved so that the picture
// begins at its corner.
TEST_CASE("All eight display matrices turn and mirror as they say", "[display]") {
  constexpr int kWidth = 5, kHeight = 3;
  RgbImage stored{{kWidth, kHeight}, std::vector<uint8_t>(kWidth * kHeight * 3)};
  for (size_t i = 0; i < stored.pixels.size(); ++i) stored.pixels[i] = static_cast<uint8_t>(i);
  const int matrices[8][4] = {{1, 0, 0, 1}, {-1, 0, 0, 1}, {1, 0, 0, -1}, {-1, 0, 0, -1},
                              {0, 1, 1, 0}, {0, 1, -1, 0}, {0, -1, 1, 0}, {0, -1, -1, 0}};
  for (const auto& [a, b, c, d] : matrices) {
    CAPTURE(a, b, c, d);
    const int left = std::min(0, a * (kWidth - 1)) + std::min(0, c * (kHeight - 1));
    const int top = std::min(0, b * (kWidth - 1)) + std::min(0, d * (kHeight - 1));
    const ImageSize size = a != 0 ? ImageSize{kWidth, kHeight} : ImageSize{kHeight, kWidth};
    RgbImage shown;
    turn_upright(stored, orientation_of_matrix(a, b, c, d), shown);
    REQUIRE(shown.size == size);
    for (int y = 0; y < kHeight; ++y) {
      for (int x = 0; x < kWidth; ++x) {
        const int to_x = a * x + c * y - left, to_y = b * x + d * y - top;
        REQUIRE(shown.pixels[static_cast<size_t>(to_y * size.width + to_x) * 3] ==
                stored.pixels[static_cast<size_t>(y * kWidth + x) * 3]);
      }
    }
  }
}

TEST_CASE("Other angles count as the nearest quarter turn, scales as none", "[display]") {
  CHECK(orientation_of_matrix(65536, 0, 0, 65536) == Orientation::kAsStored);
  CHECK(orientation_of_matrix(32768, 0, 0, 65536) == Orientation::kAsStored);
  CHECK(orientation_of_matrix(64000, 14000, -14000, 64000) == Orientation::kAsStored);
  CHECK(orientation_of_matrix(14000, 64000, -64000, 14000) == Orientation::kTurned90);
  CHECK(orientation_of_matrix(-14000, -64000, -64000, 14000) == Orientation::kTransversed);
  CHECK(orientation_of_matrix(INT32_MIN, 0, 0, INT32_MIN) == Orientation::kTurned180);
  CHECK(orientation_of_matrix(0, 0, 0, 0) == Orientation::kAsStored);
}

TEST_CASE("Square pixels: one side grows, none shrinks", "[display]") {
  CHECK(with_square_pixels({360, 360}, 64, 45) == ImageSize{512, 360});
  CHECK(with_square_pixels({720, 576}, 16, 15) == ImageSize{768, 576});
  CHECK(with_square_pixels({720, 480}, 8, 9) == ImageSize{720, 540});
  CHECK(with_square_pixels({720, 480}, 1, 1) == ImageSize{720, 480});
  CHECK(with_square_pixels({720, 480}, 0, 1) == ImageSize{720, 480});
  CHECK(with_square_pixels({720, 480}, 3, 0) == ImageSize{720, 480});
  CHECK(with_square_pixels({16000, 2}, INT32_MAX, 1).width > kMaxImageSide);
}
