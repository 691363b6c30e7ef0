#include "uir/images/decode.h"

#include <cstring>
#include <numeric>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <string>

#include "support/catch.h"
#include "support/errors.h"
#include "uir/base/error.h"
#include "uir/base/random.h"

using namespace uir;

namespace {

RgbImage random_image(int width, int height) {
  RgbImage image{{width, height}, {}};
  image.pixels.resize(image.size.num_bytes());
  ItemRandom random(1, RandomPurpose::kTest, 0, static_cast<uint64_t>(width * 10000 + height));
  for (size_t i = 0; i < image.pixels.size(); ++i) {
    image.pixels[i] = static_cast<uint8_t>(40 + i % 97 + random.below(60));
  }
  return image;
}

cv::Mat to_bgr(const RgbImage& image) {
  cv::Mat rgb(image.size.height, image.size.width, CV_8UC3, const_cast<uint8_t*>(image.pixels.data())), bgr;
  cv::cvtColor(rgb, bgr, cv::COLOR_RGB2BGR);
  return bgr;
}

std::vector<std::byte> encode_with_opencv(const cv::Mat& bgr, const std::string& extension,
                                          const std::vector<int>& parameters = {}) {
  std::vector<uchar> out;
  REQUIRE(cv::imencode(extension, bgr, out, parameters));
  std::vector<std::byte> bytes(out.size());
  std::memcpy(bytes.data(), out.data(), out.size());
  return bytes;
}

std::string message_of(Bytes bytes) {
  try {
    decode_image(bytes);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kData);
    return error.what();
  }
  return "decoded";
}

}  // namespace

TEST_CASE("A JPEG decodes to the pixels that OpenCV's decoder gives", "[decode]") {
  const RgbImage image = random_image(112, 112);
  const std::vector<std::byte> jpeg = encode_jpeg(image.pixels.data(), image.size, 90);
  CHECK(is_jpeg(jpeg));
  CHECK(probe_image(jpeg) == ImageSize{112, 112});
  const RgbImage decoded = decode_image(jpeg);
  const cv::Mat raw(1, static_cast<int>(jpeg.size()), CV_8UC1, const_cast<std::byte*>(jpeg.data()));
  const cv::Mat expected = cv::imdecode(raw, cv::IMREAD_COLOR);
  CHECK(cv::norm(to_bgr(decoded), expected, cv::NORM_INF) <=
        2);  // both are libjpeg-turbo, versions may differ
}

TEST_CASE("JPEG round trip keeps colors in their channels", "[decode]") {
  RgbImage image{{64, 48}, std::vector<uint8_t>(64 * 48 * 3)};
  for (size_t i = 0; i < image.pixels.size(); i += 3) image.pixels[i] = 200, image.pixels[i + 2] = 30;
  const RgbImage decoded = decode_image(encode_jpeg(image.pixels.data(), image.size, 95));
  for (size_t i = 0; i < image.pixels.size(); ++i)
    REQUIRE(std::abs(decoded.pixels[i] - image.pixels[i]) <= 3);
}

TEST_CASE("A grey JPEG becomes RGB", "[decode]") {
  cv::Mat grey(50, 40, CV_8UC1);
  for (int i = 0; i < 2000; ++i) grey.data[i] = static_cast<uchar>(i / 10);
  const RgbImage decoded = decode_image(encode_with_opencv(grey, ".jpg"));
  CHECK(decoded.size == ImageSize{40, 50});
  for (size_t i = 0; i < decoded.pixels.size(); i += 3) {
    REQUIRE(decoded.pixels[i] == decoded.pixels[i + 1]);
    REQUIRE(decoded.pixels[i] == decoded.pixels[i + 2]);
    REQUIRE(std::abs(decoded.pixels[i] - grey.data[i / 3]) <= 6);
  }
}

TEST_CASE("Lossless formats decode to the exact pixels", "[decode]") {
  const RgbImage image = random_image(53, 47);
  const std::string extension = GENERATE(".png", ".bmp", ".ppm");
  CAPTURE(extension);
  const std::vector<std::byte> bytes = encode_with_opencv(to_bgr(image), extension);
  CHECK_FALSE(is_jpeg(bytes));
  CHECK(probe_image(bytes) == image.size);
  CHECK(decode_image(bytes).pixels == image.pixels);
}

TEST_CASE("Lossless and lossy WebP", "[decode]") {
  const RgbImage image = random_image(53, 47);
  const std::vector<std::byte> webp =
      encode_with_opencv(to_bgr(image), ".webp", {cv::IMWRITE_WEBP_QUALITY, 101});
  CHECK(probe_image(webp) == image.size);
  CHECK(decode_image(webp).pixels == image.pixels);
  const std::vector<std::byte> lossy =
      encode_with_opencv(to_bgr(image), ".webp", {cv::IMWRITE_WEBP_QUALITY, 80});
  CHECK(decode_image(lossy).size == image.size);
}

TEST_CASE("Fault 5: a JPEG cut anywhere is refused, never decoded in part", "[decode]") {
  const RgbImage image = random_image(112, 112);
  std::vector<std::byte> jpeg = encode_jpeg(image.pixels.data(), image.size, 85);
  if (GENERATE(false, true)) {
    jpeg = encode_with_opencv(to_bgr(image), ".jpg", {cv::IMWRITE_JPEG_PROGRESSIVE, 1});
  }
  REQUIRE(decode_image(jpeg).size == image.size);
  for (size_t cut = 0; cut < jpeg.size(); cut += 64) {
    CAPTURE(cut);
    REQUIRE_THROWS_AS(decode_image(Bytes(jpeg).first(cut)), Error);
  }
  for (size_t missing = 1; missing <= 4; ++missing) {  // the end marker alone makes it incomplete
    REQUIRE_THROWS_AS(decode_image(Bytes(jpeg).first(jpeg.size() - missing)), Error);
  }
}

TEST_CASE("Fault 5: other formats cut every 64 bytes are refused", "[decode]") {
  const RgbImage image = random_image(40, 40);
  const std::string extension = GENERATE(".png", ".bmp", ".ppm", ".pgm", ".webp");
  CAPTURE(extension);
  cv::Mat mat = to_bgr(image);
  if (extension == ".pgm") cv::cvtColor(mat.clone(), mat, cv::COLOR_BGR2GRAY);
  const std::vector<std::byte> bytes = encode_with_opencv(mat, extension);
  REQUIRE(decode_image(bytes).size == image.size);
  for (size_t cut = 0; cut + 16 < bytes.size(); cut += 64) {
    CAPTURE(cut, bytes.size());
    REQUIRE(message_of(Bytes(bytes).first(cut)) != "decoded");
  }
}

TEST_CASE("A JPEG with damaged data inside is refused", "[decode]") {
  const RgbImage image = random_image(112, 112);
  std::vector<std::byte> jpeg = encode_jpeg(image.pixels.data(), image.size, 85);
  jpeg[jpeg.size() / 2] = std::byte{0xff};
  jpeg[jpeg.size() / 2 + 1] = std::byte{0xd9};  // an end marker in the middle
  CHECK(message_of(jpeg).find("not a whole JPEG") == 0);
}

TEST_CASE("What is no image is refused by name", "[decode]") {
  CHECK(message_of({}) == "empty");
  CHECK(message_of(as_bytes(std::string(5000, '\0'))) == "not a JPEG, PNG, BMP, PNM or WebP image");
  CHECK(message_of(as_bytes("\xff\xd8")) != "decoded");
  CHECK(message_of(as_bytes("P5")) == "not a JPEG, PNG, BMP, PNM or WebP image");
  CHECK(message_of(as_bytes("P6 x")) == "its PNM header is malformed");
  CHECK(message_of(as_bytes("BM")).find("truncated") == 0);
  CHECK(message_of(as_bytes("RIFF")).find("not a JPEG") == 0);
  CHECK(message_of(as_bytes("\x89PNG\r\n\x1a\n")).find("truncated") == 0);
  // A chunk whose length and frame make 2^32 bytes, so that the next one would be the same one.
  CHECK(message_of(as_bytes("\x89PNG\r\n\x1a\n\xff\xff\xff\xf4" + std::string(60, 'x'))).find("truncated") ==
        0);
  // OpenCV would hand them to its decoders of DICOM and DTED.
  const std::string webp = "RIFFxxxxWEBPVP8 ";
  CHECK(message_of(as_bytes(webp + std::string(112, '@') + "DICM")).find("signature DICM") !=
        std::string::npos);
  CHECK(message_of(as_bytes(webp + std::string(124, '@') + "DTED")).find("signature DTED") !=
        std::string::npos);
  CHECK(message_of(as_bytes("P5x" + std::string(200, ' '))).find("not a JPEG, PNG") == 0);
  CHECK(message_of(as_bytes("P5 0 5 255\n")).find("its header says 0x5 pixels") == 0);
}

TEST_CASE("Other formats are refused by name, with the way out", "[decode]") {
  using namespace std::string_view_literals;
  const auto named = [](std::string_view front, std::string_view name) {
    const std::string bytes = std::string(front) + std::string(64, '\0');
    const std::string message = message_of(as_bytes(bytes));
    const auto probing = error_of([&] { probe_image(as_bytes(bytes)); });
    CAPTURE(name, message);
    CHECK(message.find(name) != std::string::npos);
    CHECK(message.find("; ") != std::string::npos);
    CHECK((probing && probing->what() == message));
  };
  named("GIF89a", "a GIF, still or animated, is not read; convert it to JPEG or PNG first");
  named("GIF87a", "GIF");
  named("II*\0"sv, "TIFF");
  named("MM\0*"sv, "TIFF");
  named(
      "\0\0\0\x18"
      "ftypheic"sv,
      "a HEIC image");
  named(
      "\0\0\0\x18"
      "ftyphevc"sv,
      "HEIC");
  named(
      "\0\0\0\x18"
      "ftypmif1"sv,
      "HEIF");
  named(
      "\0\0\0\x1c"
      "ftypavif"sv,
      "AVIF");
  named(
      "\0\0\0\x1c"
      "ftypavis"sv,
      "animated AVIF");
  named(
      "\0\0\0\x1c"
      "ftypisom"sv,
      "a video");
  named("\0\0\0\x0cJXL \r\n"sv, "JPEG XL");
  named("\0\0\0\x0cjP  \r\n"sv, "JPEG 2000");
  named("P7\nWIDTH 1\n", "PAM");
  named("8BPS\0\1"sv, "Photoshop");
  named("  <!DOCTYPE HTML>", "a web page (HTML)");
  named("<html>not found</html>", "web page");
  named("version https://git-lfs.github.com/spec/v1\noid sha256:", "git lfs pull");
  named("PK\3\4", "ZIP");
}

TEST_CASE("Huge images are refused by their header, before memory is taken", "[decode]") {
  const RgbImage image = random_image(112, 112);
  std::vector<std::byte> jpeg = encode_jpeg(image.pixels.data(), image.size, 85);
  const std::string_view text = as_text(jpeg);
  const size_t frame = text.find("\xff\xc0");  // SOF0: marker, length, precision, height, width
  REQUIRE(frame != std::string::npos);
  const auto set_size = [&](int width, int height) {
    jpeg[frame + 5] = std::byte(height >> 8), jpeg[frame + 6] = std::byte(height & 255);
    jpeg[frame + 7] = std::byte(width >> 8), jpeg[frame + 8] = std::byte(width & 255);
  };
  set_size(65500, 65500);
  CHECK(message_of(jpeg).find("its header says 65500x65500 pixels; the limit is") == 0);
  set_size(9000, 9000);
  CHECK(message_of(jpeg).find("9000x9000 pixels cannot be in") != std::string::npos);
  set_size(112, 113 + 16);
  CHECK(message_of(jpeg).find("not a whole JPEG") == 0);

  std::vector<std::byte> png = encode_with_opencv(to_bgr(image), ".png");
  png[16] = std::byte{0x7f};
  CHECK(message_of(png).find("its header says") == 0);
  CHECK(message_of(as_bytes("P6 16384 16384 255\n")).find("its header says 16384x16384") == 0);
  CHECK(message_of(as_bytes("P6 9999999999999999999 1 255\n")) == "its PNM header is malformed");
}

TEST_CASE("A CMYK JPEG is refused by that name", "[decode]") {
  const RgbImage image = random_image(16, 16);
  std::vector<std::byte> jpeg = encode_jpeg(image.pixels.data(), image.size, 85);
  // A frame of four components by hand: it is refused before anything behind its header is missed.
  const std::string cmyk =
      std::string("\xff\xd8\xff\xc0\x00\x14\x08\x00\x10\x00\x10\x04", 12) +
      std::string("\x01\x11\x00\x02\x11\x00\x03\x11\x00\x04\x11\x00", 12) +
      std::string("\xff\xda\x00\x0e\x04\x01\x00\x02\x00\x03\x00\x04\x00\x00\x3f\x00", 16);
  CHECK(message_of(as_bytes(cmyk)) == "a CMYK JPEG; convert it to RGB first");
}

TEST_CASE("decode_image_of_size writes nothing when the size differs", "[decode]") {
  const RgbImage image = random_image(112, 112);
  const std::vector<std::byte> jpeg = encode_jpeg(image.pixels.data(), image.size, 85);
  std::vector<uint8_t> out(image.size.num_bytes(), 7);
  CHECK_FALSE(decode_image_of_size(jpeg, {112, 96}, out.data()));
  CHECK(out == std::vector<uint8_t>(image.size.num_bytes(), 7));
  CHECK(decode_image_of_size(jpeg, {112, 112}, out.data()));
  CHECK(out == decode_image(jpeg).pixels);
}

TEST_CASE("Lower JPEG quality gives fewer bytes", "[decode]") {
  const RgbImage image = random_image(112, 112);
  CHECK(encode_jpeg(image.pixels.data(), image.size, 20).size() <
        encode_jpeg(image.pixels.data(), image.size, 80).size());
}
