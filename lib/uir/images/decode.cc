#include "uir/images/decode.h"

#include <turbojpeg.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <memory>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <string_view>
#include <utility>

#include "uir/base/error.h"

namespace uir {
namespace {

// libjpeg-turbo's limit on scans stops small progressive files that take minutes; older versions lack it.
#ifdef TJFLAG_LIMITSCANS
constexpr int kDecodeFlags = TJFLAG_STOPONWARNING | TJFLAG_LIMITSCANS;
#else
constexpr int kDecodeFlags = TJFLAG_STOPONWARNING;
#endif

// The brightness of 64 pixels takes at least one bit, so a JPEG with more pixels per byte cannot be whole.
constexpr int64_t kMaxJpegPixelsPerByte = 512;

struct TurboJpegDeleter {
  void operator()(void* handle) const { tjDestroy(handle); }
};
using TurboJpeg = std::unique_ptr<void, TurboJpegDeleter>;

TurboJpeg checked(tjhandle handle) {
  if (!handle) fail(ErrorKind::kInternal, "libjpeg-turbo cannot start: ", tjGetErrorStr2(nullptr));
  return TurboJpeg(handle);
}

const unsigned char* data_of(Bytes bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

void check_limits(int64_t width, int64_t height) {
  if (width <= 0 || height <= 0) fail(ErrorKind::kData, "its header says ", width, "x", height, " pixels");
  if (width > kMaxImageSide || height > kMaxImageSide || width * height > kMaxImagePixels) {
    fail(ErrorKind::kData, "its header says ", width, "x", height, " pixels; the limit is ", kMaxImageSide,
         " a side and ", kMaxImagePixels, " in all");
  }
}

// One JPEG being decoded. The decoder is made anew for each image, which costs well under 1 %: libjpeg keeps
// tables and half-read headers of an earlier image, and a damaged JPEG would be decoded with them.
class JpegDecoder {
 public:
  explicit JpegDecoder(Bytes encoded) : turbo_(checked(tjInitDecompress())), encoded_(encoded) {
    read_header();
  }

  ImageSize size() const { return size_; }

  void decode(uint8_t* rgb) {
    if (tjDecompress2(turbo_.get(), data_of(encoded_), encoded_.size(), rgb, size_.width, 0, size_.height,
                      TJPF_RGB, kDecodeFlags) != 0) {
      fail_not_whole(tjGetErrorStr2(turbo_.get()));
    }
  }

 private:
  [[noreturn]] static void fail_not_whole(std::string_view why) {
    fail(ErrorKind::kData, "not a whole JPEG: ", why);
  }

  void read_header() {
    int subsampling = 0, colorspace = 0;
    if (tjDecompressHeader3(turbo_.get(), data_of(encoded_), encoded_.size(), &size_.width, &size_.height,
                            &subsampling, &colorspace) != 0) {
      fail_not_whole(tjGetErrorStr2(turbo_.get()));
    }
    if (colorspace == TJCS_CMYK || colorspace == TJCS_YCCK) {
      fail(ErrorKind::kData, "a CMYK JPEG; convert it to RGB first");
    }
    check_limits(size_.width, size_.height);
    if (int64_t{size_.width} * size_.height > kMaxJpegPixelsPerByte * static_cast<int64_t>(encoded_.size())) {
      fail_not_whole(
          concat(size_.width, "x", size_.height, " pixels cannot be in ", encoded_.size(), " bytes"));
    }
  }

  TurboJpeg turbo_;
  Bytes encoded_;
  ImageSize size_;
};

// --- Other formats: their headers are read here, so that no limit depends on OpenCV, which also takes some
// truncated files and writes to the standard error output about others. -------------------------

uint32_t byte_at(Bytes bytes, size_t i) {
  if (i >= bytes.size()) fail(ErrorKind::kData, "truncated after ", bytes.size(), " bytes");
  return static_cast<uint32_t>(bytes[i]);
}
uint32_t little_endian(Bytes bytes, size_t at, int count) {
  uint32_t value = 0;
  for (int i = 0; i < count; ++i) value |= byte_at(bytes, at + i) << (8 * i);
  return value;
}
uint32_t big_endian32(Bytes bytes, size_t at) {
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | byte_at(bytes, at + i);
  return value;
}

struct Size64 {
  int64_t width, height;
};

void check_whole(Bytes encoded, int64_t needed) {
  if (static_cast<int64_t>(encoded.size()) >= needed) return;
  fail(ErrorKind::kData, "truncated: ", encoded.size(), " of ", needed, " bytes");
}

// Walks the chunks (length, name, data, checksum) to the last one.
Size64 probe_png(Bytes png) {
  const Size64 size{big_endian32(png, 16), big_endian32(png, 20)};
  uint64_t at = 8;
  while (at + 8 <= png.size() && as_text(png.subspan(at + 4, 4)) != "IEND")
    at += uint64_t{12} + big_endian32(png, at);  // in 32 bits it would go round in circles
  check_whole(png, static_cast<int64_t>(at) + 12);
  return size;
}

Size64 probe_bmp(Bytes bmp) {
  if (little_endian(bmp, 14, 4) == 12) return {little_endian(bmp, 18, 2), little_endian(bmp, 20, 2)};
  const int64_t width = static_cast<int32_t>(little_endian(bmp, 18, 4));
  const int64_t height =
      std::abs(int64_t{static_cast<int32_t>(little_endian(bmp, 22, 4))});  // < 0: top to bottom
  check_limits(width, height);
  const bool is_compressed = little_endian(bmp, 30, 4) != 0;
  const int64_t bits_per_pixel = little_endian(bmp, 28, 2);
  if (!is_compressed)
    check_whole(bmp, little_endian(bmp, 10, 4) + (width * bits_per_pixel + 31) / 32 * 4 * height);
  return {width, height};
}

bool is_space(char c) { return std::isspace(static_cast<unsigned char>(c)); }

// "P6 # comment\n112 112 255\n…": decimal numbers between white space and comments. Stricter than the format
// where OpenCV would read other numbers than we do: white space follows each of them, and a comment ends with
// its line, not with a '\r'.
int64_t next_pnm_number(std::string_view text, size_t& at) {
  const auto malformed = [] { fail(ErrorKind::kData, "its PNM header is malformed"); };
  while (at < text.size() && (is_space(text[at]) || text[at] == '#')) {
    if (text[at] == '#') {
      at = std::min(text.find_first_of("\r\n", at), text.size() - 1);
      if (text[at] != '\n') malformed();
    }
    ++at;
  }
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), value);
  at = static_cast<size_t>(end - text.data());
  if (error != std::errc() || at == text.size() || !is_space(text[at])) malformed();
  return value;
}

Size64 probe_pnm(Bytes pnm) {
  const std::string_view text = as_text(pnm.first(std::min<size_t>(pnm.size(), 4096)));
  size_t at = 2;
  const int64_t width = next_pnm_number(text, at);
  const int64_t height = next_pnm_number(text, at);
  check_limits(width, height);
  const char kind = text[1];
  if (kind >= '5') {
    const int64_t bytes_per_sample = next_pnm_number(text, at) > 255 ? 2 : 1;
    check_whole(pnm,
                static_cast<int64_t>(at) + 1 + width * height * bytes_per_sample * (kind == '6' ? 3 : 1));
  }
  return {width, height};
}

// OpenCV leaves a damaged WebP to the next decoder whose signature fits, which some builds have for DICOM and
// DTED: these look far behind the front, and GDCM ends the process on what it does not like.
void check_not_another_format(std::string_view webp) {
  for (const auto& [at, signature] : {std::pair<size_t, std::string_view>{128, "DICM"}, {140, "DTED"}}) {
    if (webp.size() > at && webp.substr(at).starts_with(signature))
      fail(ErrorKind::kData, "a WebP image that has the signature ", signature, " as well");
  }
}

Size64 probe_webp(Bytes webp) {
  check_not_another_format(as_text(webp));
  const std::string_view chunk = as_text(webp).substr(12, 4);
  if (chunk == "VP8 ") return {little_endian(webp, 26, 2) & 0x3fff, little_endian(webp, 28, 2) & 0x3fff};
  if (chunk == "VP8X")
    return {little_endian(webp, 24, 3) + int64_t{1}, little_endian(webp, 27, 3) + int64_t{1}};
  const uint32_t bits = little_endian(webp, 21, 4);  // "VP8L": 14 bits of width - 1, 14 of height - 1
  return {(bits & 0x3fff) + int64_t{1}, (bits >> 14 & 0x3fff) + int64_t{1}};
}

ImageSize probe_other(Bytes encoded) {
  const std::string_view text = as_text(encoded);
  Size64 size{};
  if (text.empty()) {
    fail(ErrorKind::kData, "empty");
  } else if (text.starts_with("\x89PNG\r\n\x1a\n")) {
    size = probe_png(encoded);
  } else if (text.starts_with("BM")) {
    size = probe_bmp(encoded);
  } else if (text.size() > 2 && text[0] == 'P' && text[1] >= '1' && text[1] <= '6' && is_space(text[2])) {
    size = probe_pnm(encoded);
  } else if (text.size() > 16 && text.starts_with("RIFF") && text.substr(8, 7) == "WEBPVP8") {
    size = probe_webp(encoded);
  } else {
    fail(ErrorKind::kData, "not a JPEG, PNG, BMP, PNM or WebP image");
  }
  check_limits(size.width, size.height);
  return {static_cast<int>(size.width), static_cast<int>(size.height)};
}

cv::Mat decode_with_opencv(Bytes encoded, ImageSize size) {
  const cv::Mat input(1, static_cast<int>(encoded.size()), CV_8UC1, const_cast<std::byte*>(encoded.data()));
  cv::Mat bgr;
  try {
    bgr = cv::imdecode(input, cv::IMREAD_COLOR | cv::IMREAD_IGNORE_ORIENTATION);
  } catch (const cv::Exception& e) {
    fail(ErrorKind::kData, "cannot be decoded: ", e.err);
  }
  if (bgr.empty()) fail(ErrorKind::kData, "cannot be decoded: truncated or damaged");
  if (bgr.cols != size.width || bgr.rows != size.height) {
    fail(ErrorKind::kData, "its header says ", size.width, "x", size.height, " pixels but it has ", bgr.cols,
         "x", bgr.rows);
  }
  return bgr;
}

void decode_other(Bytes encoded, ImageSize size, uint8_t* rgb) {
  if (encoded.size() > (size_t{1} << 30)) fail(ErrorKind::kData, "more than 1 GiB");
  const cv::Mat bgr = decode_with_opencv(encoded, size);
  cv::Mat output(size.height, size.width, CV_8UC3, rgb);
  cv::cvtColor(bgr, output, cv::COLOR_BGR2RGB);
}

// Reads the header, asks `place` where an image of that size goes, and decodes it there unless that is
// nullptr.
template <class Place>
void decode_to(Bytes encoded, Place&& place) {
  if (is_jpeg(encoded)) {
    JpegDecoder decoder(encoded);
    if (uint8_t* rgb = place(decoder.size())) decoder.decode(rgb);
  } else {
    const ImageSize size = probe_other(encoded);
    if (uint8_t* rgb = place(size)) decode_other(encoded, size, rgb);
  }
}

}  // namespace

bool is_jpeg(Bytes encoded) {
  return encoded.size() >= 2 && encoded[0] == std::byte{0xff} && encoded[1] == std::byte{0xd8};
}

ImageSize probe_image(Bytes encoded) {
  return is_jpeg(encoded) ? JpegDecoder(encoded).size() : probe_other(encoded);
}

void decode_image(Bytes encoded, RgbImage& image) {
  decode_to(encoded, [&](ImageSize size) {
    image.size = size;
    image.pixels.resize(size.num_bytes());
    return image.pixels.data();
  });
}

RgbImage decode_image(Bytes encoded) {
  RgbImage image;
  decode_image(encoded, image);
  return image;
}

bool decode_image_of_size(Bytes encoded, ImageSize expected, uint8_t* rgb) {
  bool fits = false;
  decode_to(encoded, [&](ImageSize size) {
    fits = size == expected;
    return fits ? rgb : nullptr;
  });
  return fits;
}

std::vector<std::byte> encode_jpeg(const uint8_t* rgb, ImageSize size, int quality) {
  const TurboJpeg turbo = checked(tjInitCompress());
  std::vector<std::byte> jpeg(tjBufSize(size.width, size.height, TJSAMP_420));
  unsigned long num_bytes = jpeg.size();  // NOLINT(google-runtime-int): libjpeg-turbo's type
  auto* out = reinterpret_cast<unsigned char*>(jpeg.data());
  if (tjCompress2(turbo.get(), rgb, size.width, 0, size.height, TJPF_RGB, &out, &num_bytes, TJSAMP_420,
                  quality, TJFLAG_NOREALLOC) != 0) {
    fail(ErrorKind::kInternal, "libjpeg-turbo cannot encode ", size.width, "x", size.height,
         " pixels: ", tjGetErrorStr2(turbo.get()));
  }
  jpeg.resize(num_bytes);
  return jpeg;
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

bool concerns_image(const Error& error) {
  return error.kind() == ErrorKind::kData || error.kind() == ErrorKind::kMissingInput;
}

}  // namespace uir
