// Pixels are compared with OpenCV's decoder, which calls libjpeg by itself, and with the picture that was
// encoded.
#include <algorithm>
#include <cstdlib>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <vector>

#include "support/catch.h"
#include "support/errors.h"
#include "support/jpeg_writer.h"
#include "uir/images/decode.h"

using namespace uir;

namespace {

// Slow waves in all channels: what a JPEG keeps well at any resolution of its chroma.
RgbImage waves(int width, int height) {
  RgbImage image{{width, height}, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      image.pixels.push_back(static_cast<uint8_t>(60 + x));
      image.pixels.push_back(static_cast<uint8_t>(200 - y));
      image.pixels.push_back(static_cast<uint8_t>(90 + (x + y) / 2));
    }
  }
  return image;
}

std::vector<uint8_t> decoded_by_opencv(Bytes jpeg) {
  const cv::Mat raw(1, static_cast<int>(jpeg.size()), CV_8UC1, const_cast<std::byte*>(jpeg.data()));
  const cv::Mat bgr = cv::imdecode(raw, cv::IMREAD_COLOR | cv::IMREAD_IGNORE_ORIENTATION);
  std::vector<uint8_t> rgb(bgr.total() * 3);
  for (size_t i = 0; i < rgb.size(); i += 3)
    for (size_t channel = 0; channel < 3; ++channel) rgb[i + channel] = bgr.data[i + 2 - channel];
  return rgb;
}

int largest_difference(const std::vector<uint8_t>& a, const std::vector<uint8_t>& b) {
  if (a.size() != b.size()) return 255;
  int most = 0;
  for (size_t i = 0; i < a.size(); ++i) most = std::max(most, std::abs(a[i] - b[i]));
  return most;
}

std::vector<std::byte> with_bytes_at(const std::vector<std::byte>& jpeg, size_t at, std::string_view extra) {
  std::vector<std::byte> longer = jpeg;
  const Bytes bytes = as_bytes(extra);
  longer.insert(longer.begin() + static_cast<int64_t>(at), bytes.begin(), bytes.end());
  return longer;
}

size_t place_of(const std::vector<std::byte>& jpeg, int code) {
  const auto markers = jpeg_markers(jpeg);
  const auto found = std::ranges::find(markers, code, &JpegMarker::code);
  REQUIRE(found != markers.end());
  return found->at;
}

// The reason is the same with and without decoding.
std::string refusal(Bytes jpeg) {
  const auto decoding = error_of([&] { decode_image(jpeg); });
  const auto probing = error_of([&] { probe_image(jpeg); });
  REQUIRE(decoding);
  CHECK(decoding->kind() == ErrorKind::kData);
  REQUIRE(probing);
  CHECK(std::string(decoding->what()) == probing->what());
  return decoding->what();
}

std::string decoding_refusal(Bytes jpeg) {
  const auto error = error_of([&] { decode_image(jpeg); });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::kData);
  return error->what();
}

}  // namespace

TEST_CASE("Chroma at any ratio decodes to libjpeg's pixels", "[jpeg]") {
  using Sampling = std::vector<std::array<int, 2>>;
  const auto sampling = GENERATE(
      Sampling{{1, 1}, {1, 1}, {1, 1}}, Sampling{{2, 2}, {1, 1}, {1, 1}}, Sampling{{2, 1}, {1, 1}, {1, 1}},
      Sampling{{1, 2}, {1, 1}, {1, 1}}, Sampling{{4, 1}, {1, 1}, {1, 1}}, Sampling{{1, 4}, {1, 1}, {1, 1}},
      Sampling{{4, 2}, {1, 1}, {1, 1}}, Sampling{{2, 4}, {1, 1}, {1, 1}}, Sampling{{3, 1}, {1, 1}, {1, 1}},
      Sampling{{1, 3}, {1, 1}, {1, 1}}, Sampling{{3, 2}, {1, 1}, {1, 1}}, Sampling{{2, 2}, {2, 1}, {1, 1}},
      Sampling{{2, 2}, {1, 2}, {2, 1}}, Sampling{{1, 1}, {2, 2}, {1, 1}}, Sampling{{2, 1}, {1, 2}, {1, 1}});
  const bool progressive = GENERATE(false, true);
  CAPTURE(sampling, progressive);
  for (const auto& [width, height] : {std::pair{112, 112}, {61, 47}, {1, 3}}) {
    const RgbImage image = waves(width, height);
    JpegKind kind;
    kind.sampling = sampling;
    kind.progressive = progressive;
    kind.quality = 98;
    const auto jpeg = write_jpeg(image, kind);
    CHECK(probe_image(jpeg) == image.size);
    const RgbImage decoded = decode_image(jpeg);
    CHECK(largest_difference(decoded.pixels, decoded_by_opencv(jpeg)) <= 1);
    CHECK(largest_difference(decoded.pixels, image.pixels) <= 12);
  }
}

TEST_CASE("Grey, RGB, arithmetic coding, separate scans and restarts", "[jpeg]") {
  const RgbImage image = waves(75, 50);
  JpegKind kind;
  kind.sampling = {{1, 1}, {1, 1}, {1, 1}};
  const std::vector<uint8_t> plain = decode_image(write_jpeg(image, kind)).pixels;
  kind.restart_interval = 3;
  CHECK(decode_image(write_jpeg(image, kind)).pixels == plain);
  kind.separate_scans = true;
  CHECK(decode_image(write_jpeg(image, kind)).pixels == plain);
#ifdef C_ARITH_CODING_SUPPORTED
  kind.separate_scans = false;
  kind.arithmetic = true;
  CHECK(decode_image(write_jpeg(image, kind)).pixels == plain);
#endif
  JpegKind other;
  other.space = JCS_RGB;
  other.sampling = {{1, 1}, {1, 1}, {1, 1}};
  CHECK(largest_difference(decode_image(write_jpeg(image, other)).pixels, image.pixels) <= 8);
  other.space = JCS_GRAYSCALE;
  other.sampling = {{1, 1}};
  const std::vector<uint8_t> grey = decode_image(write_jpeg(image, other)).pixels;
  for (size_t i = 0; i < grey.size(); i += 3) {
    const double luma = 0.299 * image.pixels[i] + 0.587 * image.pixels[i + 1] + 0.114 * image.pixels[i + 2];
    REQUIRE(std::abs(grey[i] - luma) <= 6);
    REQUIRE((grey[i] == grey[i + 1] && grey[i] == grey[i + 2]));
  }
}

TEST_CASE("A flat arithmetic-coded JPEG takes less than a bit per block", "[jpeg]") {
#ifdef C_ARITH_CODING_SUPPORTED
  const RgbImage image{{4096, 4096}, std::vector<uint8_t>(size_t{4096} * 4096 * 3, 128)};
  JpegKind kind;
  kind.arithmetic = true;
  const auto jpeg = write_jpeg(image, kind);
  REQUIRE(jpeg.size() * 512 < size_t{4096} * 4096);
  CHECK(decode_image(jpeg).pixels == image.pixels);
#endif
}

TEST_CASE("Bytes that belong to nothing are skipped, wherever they stand between segments", "[jpeg]") {
  const RgbImage image = waves(80, 64);
  JpegKind kind;
  kind.progressive = GENERATE(false, true);
  kind.restart_interval = GENERATE(0u, 2u);
  const auto jpeg = write_jpeg(image, kind);
  const std::vector<uint8_t> pixels = decode_image(jpeg).pixels;
  std::string noise;
  for (int i = 1; i < 255; ++i) noise += static_cast<char>(i);
  const auto markers = jpeg_markers(jpeg);
  REQUIRE(markers.size() >= (kind.progressive ? 20 : 9));
  REQUIRE(markers.back().at + 2 == jpeg.size());
  for (const auto& [code, at] : markers) {
    CAPTURE(code, at);
    for (const std::string& extra :
         {std::string(1, '\0'), std::string("\x41\x42"), std::string("\xff\xff"), noise}) {
      const auto longer = with_bytes_at(jpeg, at, extra);
      REQUIRE(probe_image(longer) == image.size);
      REQUIRE(decode_image(longer).pixels == pixels);
    }
  }
  CHECK(decode_image(with_bytes_at(jpeg, jpeg.size(), "a trailer")).pixels == pixels);
}

TEST_CASE("Every other warning of libjpeg refuses a JPEG", "[jpeg]") {
  const RgbImage image = waves(80, 64);
  JpegKind kind;
  kind.restart_interval = 1;
  auto jpeg = write_jpeg(image, kind);
  const size_t scan = place_of(jpeg, 0xda);
  size_t restart = scan;
  while (jpeg[restart] != std::byte{0xff} || jpeg[restart + 1] != std::byte{0xd3}) ++restart;
  auto lost = jpeg;  // a restart
  lost.erase(lost.begin() + static_cast<int64_t>(restart), lost.begin() + static_cast<int64_t>(restart) + 2);
  CHECK(decoding_refusal(lost).starts_with("not a whole JPEG: "));
  // Bytes before a restart are what is left over of damaged pixels (of few libjpeg does not warn).
  CHECK(decoding_refusal(with_bytes_at(jpeg, restart, std::string(40, 'a')))
            .find("extraneous bytes before marker 0xd3") != std::string::npos);
  auto hole = jpeg;  // the pixels' second half
  hole.erase(hole.begin() + static_cast<int64_t>(scan + jpeg.size()) / 2, hole.end() - 2);
  CHECK(probe_image(hole) == image.size);  // which the header does not tell
  CHECK(decoding_refusal(hole).starts_with("not a whole JPEG: "));
  auto early = jpeg;  // ends
  early[scan + 40] = std::byte{0xff}, early[scan + 41] = std::byte{0xd9};
  CHECK(decoding_refusal(early).starts_with("not a whole JPEG: "));
}

TEST_CASE("A missing end is seen without decoding", "[jpeg]") {
  const auto jpeg = write_jpeg(waves(40, 40), {});
  for (size_t missing = 1; missing < 300; missing += 7)
    CHECK(refusal(Bytes(jpeg).first(jpeg.size() - missing)).starts_with("not a whole JPEG: "));
  CHECK(refusal(Bytes(jpeg).first(jpeg.size() - 1)) == "not a whole JPEG: its end is missing");
}

TEST_CASE("Kinds of JPEG that cannot be read are refused by name", "[jpeg]") {
  const RgbImage image = waves(32, 32);
  JpegKind four{JCS_CMYK, {{1, 1}, {1, 1}, {1, 1}, {1, 1}}};
  CHECK(refusal(write_jpeg(image, four)) == "a CMYK JPEG; convert it to RGB first");
  four.space = JCS_YCCK;
  CHECK(refusal(write_jpeg(image, four)) == "a CMYK JPEG; convert it to RGB first");
  CHECK(refusal(write_jpeg(image, {JCS_UNKNOWN, {{1, 1}, {1, 1}}}))
            .starts_with("a JPEG of 2 components; convert"));

  const auto plain = write_jpeg(image, {});
  const size_t frame = place_of(plain, 0xc0);
  const auto with_frame = [&](size_t offset, int value) {
    auto changed = plain;
    changed[frame + offset] = static_cast<std::byte>(value);
    return changed;
  };
  CHECK(refusal(with_frame(4, 12)).starts_with("a JPEG of 12 bits per value; convert it"));
  auto fractional = with_frame(11, 0x31);  // the first component at 3, the second at 2
  fractional[frame + 14] = std::byte{0x21};
  CHECK(refusal(fractional).starts_with("a JPEG whose planes differ in resolution by no whole number"));
#if !defined(LIBJPEG_TURBO_VERSION_NUMBER) || LIBJPEG_TURBO_VERSION_NUMBER < 3'000'000
  CHECK(refusal(with_frame(1, 0xc3)).starts_with("a lossless JPEG; convert it"));
#endif
  CHECK(refusal(with_frame(1, 0xc5)).starts_with("a hierarchical JPEG; convert it"));
  CHECK(refusal(with_frame(1, 0xf7)).starts_with("a JPEG-LS image; convert it"));
}

TEST_CASE("A JPEG of endless scans is refused", "[jpeg]") {
  JpegKind kind;
  kind.sampling = {{1, 1}, {1, 1}, {1, 1}};
  kind.separate_scans = true;
  const auto jpeg = write_jpeg(waves(16, 16), kind);
  const auto markers = jpeg_markers(jpeg);
  const size_t last = markers[markers.size() - 2].at, end = markers.back().at;
  REQUIRE(markers[markers.size() - 2].code == 0xda);
  const auto repeated = [&](int times) {
    std::vector<std::byte> longer(jpeg.begin(), jpeg.begin() + static_cast<int64_t>(end));
    for (int i = 0; i < times; ++i)
      longer.insert(longer.end(), jpeg.begin() + static_cast<int64_t>(last),
                    jpeg.begin() + static_cast<int64_t>(end));
    longer.insert(longer.end(), jpeg.end() - 2, jpeg.end());
    return longer;
  };
  CHECK(decode_image(repeated(400)).pixels == decode_image(jpeg).pixels);
  CHECK(decoding_refusal(repeated(600)) == "not a whole JPEG: more than 500 scans");
}
