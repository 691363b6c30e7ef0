#include <opencv2/imgcodecs.hpp>
#include <string>
#include <vector>

#include "support/catch.h"
#include "support/errors.h"
#include "support/png_writer.h"
#include "uir/images/decode.h"

using namespace uir;
using Pixels = std::vector<uint8_t>;

namespace {

Pixels pixels_of(const std::string& encoded) { return decode_image(as_bytes(encoded)).pixels; }

// Of 2x1 pixels.
std::string png_of(int depth, int colour_type, const std::string& packed, const std::string& before = "") {
  return png::header(2, 1, depth, colour_type) + before +
         png::chunk("IDAT", png::rows(packed, packed.size())) + png::chunk("IEND", "");
}

std::string little_endian(uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i) & 255);
  return text;
}

std::string riff_chunk(const std::string& name, const std::string& content) {
  return name + little_endian(static_cast<uint32_t>(content.size()), 4) + content +
         std::string(content.size() % 2, '\0');
}

std::string webp_of(const std::string& chunks) {
  return "RIFF" + little_endian(static_cast<uint32_t>(chunks.size()) + 4, 4) + "WEBP" + chunks;
}

// The image's own chunk of a WebP of 8x8 pixels of one colour.
std::string webp_image(int grey) {
  std::vector<uchar> bytes;
  REQUIRE(cv::imencode(".webp", cv::Mat(8, 8, CV_8UC3, cv::Scalar(grey, grey, grey)), bytes,
                       {cv::IMWRITE_WEBP_QUALITY, 101}));
  return {bytes.begin() + 12, bytes.end()};
}

std::string extended(int flags) {
  return riff_chunk("VP8X", little_endian(static_cast<uint32_t>(flags), 4) + std::string("\7\0\0\7\0\0", 6));
}

}  // namespace

TEST_CASE("PNG of every kind of pixels becomes RGB", "[opencv_formats]") {
  using namespace std::string_literals;
  CHECK(pixels_of(png_of(8, 0, "\x10\xf0")) == Pixels{0x10, 0x10, 0x10, 0xf0, 0xf0, 0xf0});
  CHECK(pixels_of(png_of(1, 0, "\x40")) == Pixels{0, 0, 0, 255, 255, 255});
  CHECK(pixels_of(png_of(4, 0, "\x3c")) == Pixels{0x33, 0x33, 0x33, 0xcc, 0xcc, 0xcc});
  CHECK(pixels_of(png_of(16, 0, "\x10\xff\xf0\x80")) == Pixels{0x10, 0x10, 0x10, 0xf0, 0xf0, 0xf0});
  CHECK(pixels_of(png_of(8, 2, "abcdef")) == Pixels{'a', 'b', 'c', 'd', 'e', 'f'});
  CHECK(pixels_of(png_of(16, 2,
                         "a\xff"
                         "b\0c\x80"
                         "d0e0f0"s)) == Pixels{'a', 'b', 'c', 'd', 'e', 'f'});
  CHECK(pixels_of(png_of(8, 6, "abc\0def\x80"s)) == Pixels{'a', 'b', 'c', 'd', 'e', 'f'});
  CHECK(pixels_of(png_of(8, 4, "a\0b\xff"s)) == Pixels{'a', 'a', 'a', 'b', 'b', 'b'});
  CHECK(pixels_of(png_of(16, 4, "a\1\0\0b\2\xff\xff"s)) == Pixels{'a', 'a', 'a', 'b', 'b', 'b'});
  const std::string palette = png::chunk("PLTE", "abcdef") + png::chunk("tRNS", "\x80");
  CHECK(pixels_of(png_of(8, 3, "\1\0"s, palette)) == Pixels{'d', 'e', 'f', 'a', 'b', 'c'});
  CHECK(pixels_of(png_of(2, 3, "\x10", palette)) == Pixels{'a', 'b', 'c', 'd', 'e', 'f'});
}

TEST_CASE("Of an animated PNG the still image is read, whether it is part of the animation or not",
          "[opencv_formats]") {
  const std::string still = png::chunk("IDAT", png::rows("abcdef", 6));
  const std::string count = png::chunk("acTL", png::big_endian(2) + png::big_endian(0));
  const auto frame = [](uint32_t number) {
    return png::chunk("fcTL", png::big_endian(number) + png::big_endian(2) + png::big_endian(1) +
                                  std::string(8, '\0') + std::string("\0\1\0\x0a\0\0", 6));
  };
  const auto pixels = [](uint32_t number, const std::string& packed) {
    return png::chunk("fdAT", png::big_endian(number) + png::rows(packed, 6));
  };
  const std::string front = png::header(2, 1, 8, 2) + count, end = png::chunk("IEND", "");
  const Pixels expected{'a', 'b', 'c', 'd', 'e', 'f'};
  CHECK(pixels_of(front + frame(0) + still + frame(1) + pixels(2, "ghijkl") + end) == expected);
  CHECK(pixels_of(front + still + frame(0) + pixels(1, "ghijkl") + frame(2) + pixels(3, "mnopqr") + end) ==
        expected);
}

TEST_CASE("An animated WebP is refused by that name, before decoding", "[opencv_formats]") {
  const auto frame = [](int grey) {
    return riff_chunk("ANMF", little_endian(0, 6) + std::string("\7\0\0\7\0\0", 6) + little_endian(100, 3) +
                                  '\0' + webp_image(grey));
  };
  const std::string moving =
      webp_of(extended(2) + riff_chunk("ANIM", std::string(6, '\0')) + frame(50) + frame(90));
  for (const auto& error :
       {error_of([&] { probe_image(as_bytes(moving)); }), error_of([&] { pixels_of(moving); })}) {
    REQUIRE(error);
    CHECK(error->kind() == ErrorKind::kData);
    CHECK(std::string(error->what()) ==
          "an animated WebP is not read; save the picture that is wanted as JPEG or PNG");
  }
  CHECK(pixels_of(webp_of(extended(0) + webp_image(50))) == Pixels(8 * 8 * 3, 50));
  CHECK(pixels_of(webp_of(webp_image(50))) == Pixels(8 * 8 * 3, 50));
}

TEST_CASE("A cut WebP or PNG is seen without decoding", "[opencv_formats]") {
  const std::string webp = webp_of(webp_image(50)), whole_png = png_of(8, 2, "abcdef");
  for (const std::string& whole : {webp, whole_png}) {
    for (size_t size = 40; size < whole.size(); ++size) {
      const auto error = error_of([&] { probe_image(as_bytes(whole).first(size)); });
      CAPTURE(size, whole.size());
      REQUIRE(error);
      CHECK(std::string(error->what()).starts_with("truncated"));
    }
  }
}
