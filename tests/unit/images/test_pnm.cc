#include <cmath>
#include <string>
#include <vector>

#include "support/catch.h"
#include "support/errors.h"
#include "uir/images/decode.h"

using namespace uir;

namespace {

std::vector<uint8_t> pixels_of(const std::string& pnm) { return decode_image(as_bytes(pnm)).pixels; }

std::vector<uint8_t> as_grey(const std::vector<uint8_t>& values) {
  std::vector<uint8_t> rgb;
  for (const uint8_t value : values) rgb.insert(rgb.end(), 3, value);
  return rgb;
}

std::string refusal(const std::string& pnm) {
  const auto error = error_of([&] { decode_image(as_bytes(pnm)); });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::kData);
  return error->what();
}

// Also without decoding.
std::string early_refusal(const std::string& pnm) {
  const auto error = error_of([&] { probe_image(as_bytes(pnm)); });
  REQUIRE(error);
  CHECK(refusal(pnm) == error->what());
  return error->what();
}

std::string bytes_of(const std::vector<int>& values, int maxval) {
  std::string bytes;
  for (const int value : values) {
    if (maxval > 255) bytes += static_cast<char>(value >> 8);
    bytes += static_cast<char>(value & 255);
  }
  return bytes;
}

}  // namespace

TEST_CASE("PGM and PPM of any maxval are scaled to 0 to 255, as text and binary", "[pnm]") {
  const int maxval =
      GENERATE(1, 2, 3, 7, 15, 31, 100, 127, 254, 255, 256, 257, 1000, 1023, 4095, 32768, 65535);
  CAPTURE(maxval);
  std::vector<int> values;
  std::vector<uint8_t> expected;
  for (int i = 0; i < 60; ++i) {
    values.push_back(static_cast<int>(std::lround(i * maxval / 59.0)));
    expected.push_back(static_cast<uint8_t>(std::floor(255.0 * values.back() / maxval + 0.5)));
  }
  REQUIRE((expected.front() == 0 && expected.back() == 255));
  std::string text;
  for (const int value : values) text += std::to_string(value) + "\n";
  const std::string end = " " + std::to_string(maxval) + "\n";
  CHECK(pixels_of("P5 10 6" + end + bytes_of(values, maxval)) == as_grey(expected));
  CHECK(pixels_of("P2 10 6" + end + text) == as_grey(expected));
  CHECK(pixels_of("P6 10 2" + end + bytes_of(values, maxval)) == expected);
  CHECK(pixels_of("P3 10 2" + end + text) == expected);
}

TEST_CASE("With maxval 255 every value stays", "[pnm]") {
  CHECK(pixels_of("P5 # a comment\n# another\n3 2\n255\n\x01\x02\x03\x04\x05\x06") ==
        as_grey({1, 2, 3, 4, 5, 6}));
  CHECK(pixels_of("P3 1 1 255 7 8 9\n") == std::vector<uint8_t>{7, 8, 9});
  CHECK(pixels_of("P6\t1\v2\f255\r123456") == std::vector<uint8_t>{'1', '2', '3', '4', '5', '6'});
}

TEST_CASE("PBM: 1 is black, rows of the binary form begin with a byte", "[pnm]") {
  CHECK(pixels_of("P1 3 2\n010 # row\n1 1 0\n") == as_grey({255, 0, 255, 0, 0, 255}));
  CHECK(pixels_of("P1 3 1\n011") == as_grey({255, 0, 0}));
  const std::string bits("P4 10 2\n\x40\x80\xff\x00", 12);
  std::vector<uint8_t> rows(20, 255);
  rows[1] = rows[8] = 0;
  std::fill(rows.begin() + 10, rows.begin() + 18, uint8_t{0});
  CHECK(pixels_of(bits) == as_grey(rows));
}

TEST_CASE("Comments stand wherever white space may", "[pnm]") {
  CHECK(pixels_of("P5#no space\r2# width\n# line\n 1#\n255# the next line holds pixels\nab") ==
        as_grey({'a', 'b'}));
  CHECK(pixels_of("P2 2 1 15 # fifteen\n15 # white\n0") == as_grey({255, 0}));
}

TEST_CASE("Values beyond maxval, other maxvals and rubbish are refused", "[pnm]") {
  CHECK(refusal("P5 2 1 100\n\x64\x65") == "it has the value 101, and its header says at most 100");
  CHECK(refusal("P2 2 1 100\n100 400") == "it has the value 400, and its header says at most 100");
  CHECK(refusal("P2 2 1 255\n1 x") == "a value is missing or no number, after 13 bytes");
  CHECK(refusal("P2 2 1 255\n1 -1").starts_with("a value is missing or no number"));
  CHECK(refusal("P1 2 1\n02").starts_with("a value is missing or no number"));
  for (const char* maxval : {"0", "65536", "99999999"})
    CHECK(early_refusal(std::string("P5 1 1 ") + maxval + "\nabcd").find("a PNM has 1 to 65535") !=
          std::string::npos);
  CHECK(early_refusal("P5 1 1 255") == "its PNM header is malformed");
  CHECK(early_refusal("P5 1 x 255\na") == "its PNM header is malformed");
  CHECK(early_refusal("P5 1 99999999999999999999 255\na") == "its PNM header is malformed");
}

TEST_CASE("Cut PNM files are refused, those of fixed length without decoding", "[pnm]") {
  const std::string sixteen = "P5 2 2 300\n" + std::string(8, '\0');
  CHECK(pixels_of(sixteen) == as_grey({0, 0, 0, 0}));
  CHECK(early_refusal(sixteen.substr(0, 18)) == "truncated: 18 of 19 bytes");
  CHECK(early_refusal(std::string("P4 9 2\n\1\1\1", 10)) == "truncated: 10 of 11 bytes");
  CHECK(early_refusal("P6 1 1 255\n12").starts_with("truncated: "));
  CHECK(early_refusal("P3 1 1 255\n1 2").starts_with("truncated: "));
  CHECK(refusal("P3 1 1 255\n100 200").starts_with("a value is missing"));
  CHECK(early_refusal("P1 3 1\n01").starts_with("truncated: "));
}
