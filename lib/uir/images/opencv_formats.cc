#include "uir/images/opencv_formats.h"

#include <cstdlib>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "uir/base/error.h"
#include "uir/images/header_bytes.h"

namespace uir {
namespace {

// Calls use(name, chunk) for every chunk of a PNG (length, name, data, checksum) up to the last one.
template <class Use>
void for_each_chunk(Bytes png, Use&& use) {
  uint64_t at = 8;
  std::string_view name;
  while (name != "IEND") {
    const uint64_t length = uint64_t{12} + big_endian32(png, at);  // in 32 bits it would go round in circles
    check_whole(png, static_cast<int64_t>(at + length));
    name = as_text(png.subspan(at + 4, 4));
    use(name, png.subspan(at, length));
    at += length;
  }
}

ImageSize probe_png(Bytes png) {
  for_each_chunk(png, [](std::string_view, Bytes) {});
  return checked_size(big_endian32(png, 16), big_endian32(png, 20));
}

bool is_animation(std::string_view chunk) { return chunk == "acTL" || chunk == "fcTL" || chunk == "fdAT"; }

// Some versions of OpenCV would take another picture of an animated PNG than its still image.
std::vector<std::byte> still_png(Bytes png) {
  std::vector<std::byte> still(png.begin(), png.begin() + 8);
  for_each_chunk(png, [&](std::string_view name, Bytes chunk) {
    if (!is_animation(name)) still.insert(still.end(), chunk.begin(), chunk.end());
  });
  return still;
}

bool is_animated_png(Bytes png) {
  bool animated = false;
  for_each_chunk(png, [&](std::string_view name, Bytes) { animated = animated || name == "acTL"; });
  return animated;
}

ImageSize probe_bmp(Bytes bmp) {
  if (little_endian(bmp, 14, 4) == 12)
    return checked_size(little_endian(bmp, 18, 2), little_endian(bmp, 20, 2));
  const int64_t width = static_cast<int32_t>(little_endian(bmp, 18, 4));
  const int64_t height =
      std::abs(int64_t{static_cast<int32_t>(little_endian(bmp, 22, 4))});  // < 0: top to bottom
  const ImageSize size = checked_size(width, height);
  const bool is_compressed = little_endian(bmp, 30, 4) != 0;
  const int64_t bits_per_pixel = little_endian(bmp, 28, 2);
  if (!is_compressed)
    check_whole(bmp, little_endian(bmp, 10, 4) + (width * bits_per_pixel + 31) / 32 * 4 * height);
  return size;
}

// OpenCV leaves a damaged WebP to the next decoder whose signature fits, which some builds have for DICOM and
// DTED: these look far behind the front, and GDCM ends the process on what it does not like.
void check_not_another_format(std::string_view webp) {
  for (const auto& [at, signature] : {std::pair<size_t, std::string_view>{128, "DICM"}, {140, "DTED"}}) {
    if (webp.size() > at && webp.substr(at).starts_with(signature))
      fail(ErrorKind::kData, "a WebP image that has the signature ", signature, " as well");
  }
}

ImageSize probe_webp(Bytes webp) {
  constexpr uint32_t kAnimated = 2;
  check_not_another_format(as_text(webp));
  check_whole(webp, int64_t{8} + little_endian(webp, 4, 4));
  const std::string_view chunk = as_text(webp).substr(12, 4);
  if (chunk == "VP8 ")
    return checked_size(little_endian(webp, 26, 2) & 0x3fff, little_endian(webp, 28, 2) & 0x3fff);
  if (chunk == "VP8X") {
    if (little_endian(webp, 20, 1) & kAnimated)
      fail(ErrorKind::kData, "an animated WebP is not read; save the picture that is wanted as JPEG or PNG");
    return checked_size(little_endian(webp, 24, 3) + int64_t{1}, little_endian(webp, 27, 3) + int64_t{1});
  }
  const uint32_t bits = little_endian(webp, 21, 4);  // "VP8L": 14 bits of width - 1, 14 of height - 1
  return checked_size((bits & 0x3fff) + int64_t{1}, (bits >> 14 & 0x3fff) + int64_t{1});
}

cv::Mat decoded(Bytes encoded) {
  if (encoded.size() > (size_t{1} << 30)) fail(ErrorKind::kData, "more than 1 GiB");
  const cv::Mat input(1, static_cast<int>(encoded.size()), CV_8UC1, const_cast<std::byte*>(encoded.data()));
  cv::Mat bgr;
  try {
    bgr = cv::imdecode(input, cv::IMREAD_COLOR | cv::IMREAD_IGNORE_ORIENTATION);
  } catch (const cv::Exception& e) {
    fail(ErrorKind::kData, "cannot be decoded: ", e.err);
  }
  if (bgr.empty()) fail(ErrorKind::kData, "cannot be decoded: truncated or damaged");
  return bgr;
}

}  // namespace

ImageSize probe_with_opencv(Bytes encoded, ImageFormat format) {
  if (format == ImageFormat::kPng) return probe_png(encoded);
  if (format == ImageFormat::kBmp) return probe_bmp(encoded);
  return probe_webp(encoded);
}

void decode_with_opencv(Bytes encoded, ImageFormat format, ImageSize size, uint8_t* rgb) {
  const bool animated = format == ImageFormat::kPng && is_animated_png(encoded);
  const cv::Mat bgr = animated ? decoded(still_png(encoded)) : decoded(encoded);
  if (bgr.cols != size.width || bgr.rows != size.height) {
    fail(ErrorKind::kData, "its header says ", size.width, "x", size.height, " pixels but it has ", bgr.cols,
         "x", bgr.rows);
  }
  cv::Mat output(size.height, size.width, CV_8UC3, rgb);
  cv::cvtColor(bgr, output, cv::COLOR_BGR2RGB);
}

std::vector<std::byte> encode_png(const uint8_t* rgb, ImageSize size) {
  const cv::Mat input(size.height, size.width, CV_8UC3, const_cast<uint8_t*>(rgb));
  cv::Mat bgr;
  cv::cvtColor(input, bgr, cv::COLOR_RGB2BGR);
  std::vector<uint8_t> png;
  if (!cv::imencode(".png", bgr, png)) fail(ErrorKind::kInternal, "OpenCV cannot encode a PNG");
  const Bytes bytes = std::as_bytes(std::span(png));
  return {bytes.begin(), bytes.end()};
}

}  // namespace uir
