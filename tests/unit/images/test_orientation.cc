#include "uir/images/orientation.h"

#include <opencv2/imgcodecs.hpp>
#include <vector>

#include "support/catch.h"

using namespace uir;

namespace {

// Twice as wide as high; every corner has a colour of its own.
RgbImage picture() {
  RgbImage image{{64, 32}, {}};
  for (int y = 0; y < 32; ++y) {
    for (int x = 0; x < 64; ++x) {
      image.pixels.push_back(static_cast<uint8_t>(x * 4));
      image.pixels.push_back(static_cast<uint8_t>(y * 8));
      image.pixels.push_back(100);
    }
  }
  return image;
}

void append(std::vector<std::byte>& bytes, std::initializer_list<int> values) {
  for (const int value : values) bytes.push_back(static_cast<std::byte>(value));
}

// The picture as JPEG with an EXIF segment whose directory holds another tag and then the orientation.
std::vector<std::byte> jpeg_with_orientation(int value, bool big_endian) {
  const RgbImage image = picture();
  const std::vector<std::byte> jpeg = encode_jpeg(image.pixels.data(), image.size, 95);
  std::vector<std::byte> bytes{jpeg.begin(), jpeg.begin() + 2};
  append(bytes, {0xff, 0xe1, 0, 2 + 6 + 8 + 2 + 24 + 4, 'E', 'x', 'i', 'f', 0, 0});
  if (big_endian) {
    append(bytes, {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 2});
    append(bytes, {0x01, 0x00, 0, 3, 0, 0, 0, 1, 0, 5, 0, 0});
    append(bytes, {0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, value, 0, 0});
  } else {
    append(bytes, {'I', 'I', 42, 0, 8, 0, 0, 0, 2, 0});
    append(bytes, {0x00, 0x01, 3, 0, 1, 0, 0, 0, 5, 0, 0, 0});
    append(bytes, {0x12, 0x01, 3, 0, 1, 0, 0, 0, value, 0, 0, 0});
  }
  append(bytes, {0, 0, 0, 0});
  bytes.insert(bytes.end(), jpeg.begin() + 2, jpeg.end());
  return bytes;
}

const uint8_t* pixel(const RgbImage& image, int x, int y) {
  return image.pixels.data() +
         (static_cast<size_t>(y) * static_cast<size_t>(image.size.width) + static_cast<size_t>(x)) * 3;
}

}  // namespace

TEST_CASE("Pictures are turned as OpenCV turns them", "[orientation]") {
  for (int value = 1; value <= 8; ++value) {
    for (const bool big_endian : {false, true}) {
      CAPTURE(value, big_endian);
      const std::vector<std::byte> jpeg = jpeg_with_orientation(value, big_endian);
      REQUIRE(static_cast<int>(orientation_of(jpeg)) == value);
      RgbImage upright;
      turn_upright(decode_image(jpeg), orientation_of(jpeg), upright);
      const cv::Mat input(1, static_cast<int>(jpeg.size()), CV_8UC1, const_cast<std::byte*>(jpeg.data()));
      const cv::Mat oracle = cv::imdecode(input, cv::IMREAD_COLOR);
      REQUIRE(upright.size == ImageSize{oracle.cols, oracle.rows});
      int largest = 0;
      for (int y = 0; y < oracle.rows; ++y) {
        for (int x = 0; x < oracle.cols; ++x) {
          for (int c = 0; c < 3; ++c)
            largest =
                std::max(largest, std::abs(pixel(upright, x, y)[c] - oracle.at<cv::Vec3b>(y, x)[2 - c]));
        }
      }
      CHECK(largest <= 4);  // decoders round differently
    }
  }
}

TEST_CASE("What is found in the upright picture is given in stored pixels", "[orientation]") {
  const RgbImage stored = picture();
  for (int value = 1; value <= 8; ++value) {
    CAPTURE(value);
    const auto orientation = static_cast<Orientation>(value);
    RgbImage upright;
    turn_upright(stored, orientation, upright);
    const Landmarks points{5, 9, 20, 8, 14, 15, 7, 22, 19, 23};
    const Landmarks found = to_stored(points, orientation, stored.size);
    const bool mirrored = value == 2 || value == 4 || value == 5 || value == 7;
    constexpr std::array<size_t, 5> kSame{0, 1, 2, 3, 4}, kSwapped{1, 0, 2, 4, 3};
    for (size_t i = 0; i < 5; ++i) {
      const size_t j = mirrored ? kSwapped[i] : kSame[i];
      const uint8_t* before =
          pixel(upright, static_cast<int>(points[2 * i]), static_cast<int>(points[2 * i + 1]));
      const uint8_t* after =
          pixel(stored, static_cast<int>(found[2 * j]), static_cast<int>(found[2 * j + 1]));
      CHECK(std::equal(before, before + 3, after));
    }
    // The box of one pixel is that pixel: from its left edge to the next one's.
    const FaceBox box = to_stored(FaceBox{5, 9, 6, 10}, orientation, stored.size);
    CHECK(box[2] - box[0] == 1);
    CHECK(box[3] - box[1] == 1);
    const uint8_t* inside = pixel(stored, static_cast<int>(box[0]), static_cast<int>(box[1]));
    CHECK(std::equal(inside, inside + 3, pixel(upright, 5, 9)));
  }
}

TEST_CASE("Bytes between segments do not hide the tag", "[orientation]") {
  for (const char* extra : {"\x12", "\xff\xff", "abc\xff"}) {
    for (const size_t at : {size_t{2}, size_t{50}}) {  // before the EXIF segment, and behind it
      std::vector<std::byte> jpeg = jpeg_with_orientation(8, true);
      const Bytes bytes = as_bytes(extra);
      jpeg.insert(jpeg.begin() + static_cast<std::ptrdiff_t>(at), bytes.begin(), bytes.end());
      CHECK(orientation_of(jpeg) == Orientation::kTurned270);
    }
  }
}

TEST_CASE("A damaged or missing tag means as stored", "[orientation]") {
  const std::vector<std::byte> jpeg = jpeg_with_orientation(6, true);
  CHECK(orientation_of(jpeg) == Orientation::kTurned90);
  CHECK(orientation_of(jpeg_with_orientation(9, false)) == Orientation::kAsStored);
  CHECK(orientation_of(jpeg_with_orientation(0, false)) == Orientation::kAsStored);
  CHECK(orientation_of({}) == Orientation::kAsStored);
  for (size_t size = 0; size < 60; ++size) {  // the segment ends at byte 50
    const std::vector<std::byte> cut(jpeg.begin(), jpeg.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK(orientation_of(cut) == (size >= 50 ? Orientation::kTurned90 : Orientation::kAsStored));
  }
  for (size_t i = 2; i < 50; ++i) {  // any byte wrong: no crash, and nothing but the eight values
    std::vector<std::byte> wrong = jpeg;
    wrong[i] = std::byte{0xff};
    const int value = static_cast<int>(orientation_of(wrong));
    CHECK((value >= 1 && value <= 8));
  }
}
