#include "uir/images/image_format.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <string_view>

#include "uir/base/error.h"
#include "uir/images/decode.h"
#include "uir/images/pnm.h"

namespace uir {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kConvert = "is not read; convert it to JPEG or PNG first";
constexpr std::string_view kDownload = "is no image; get the image itself";

struct Signature {
  size_t at;
  std::string_view bytes, name, remedy = kConvert;
};

// The first that fits counts.
constexpr auto kOthers = std::to_array<Signature>({
    {0, "GIF87a", "a GIF, still or animated,"},
    {0, "GIF89a", "a GIF, still or animated,"},
    {0, "II*\0"sv, "a TIFF image (or a camera's raw file)"},
    {0, "MM\0*"sv, "a TIFF image (or a camera's raw file)"},
    {0, "II+\0"sv, "a BigTIFF image"},
    {0, "MM\0+"sv, "a BigTIFF image"},
    {4, "ftyphei", "a HEIC image"},
    {4, "ftyphev", "a HEIC image (a sequence)"},
    {4, "ftypavif", "an AVIF image"},
    {4, "ftypavis", "an animated AVIF image"},
    {4, "ftypmif1", "a HEIF image (HEIC, AVIF)"},
    {4, "ftypmsf1", "an animated HEIF image (HEIC, AVIF)"},
    {4, "ftypcrx ", "a camera's raw file (CR3)"},
    {4, "ftyp", "a video (MP4, MOV)", "is no image; read it as a video"},
    {0, "\x1a\x45\xdf\xa3", "a video (Matroska, WebM)", "is no image; read it as a video"},
    {0, "\0\0\0\x0cJXL "sv, "a JPEG XL image"},
    {0, "\xff\x0a", "a JPEG XL image"},
    {0, "\0\0\0\x0cjP  "sv, "a JPEG 2000 image"},
    {0, "\xff\x4f\xff\x51", "a JPEG 2000 image"},
    {0, "II\xbc\x01", "a JPEG XR image"},
    {0, "P7\n", "a PAM image"},
    {0, "PF\n", "a PFM image"},
    {0, "Pf\n", "a PFM image"},
    {0, "8BPS", "a Photoshop image"},
    {0, "\0\0\1\0"sv, "an ICO image"},
    {0, "\x76\x2f\x31\x01", "an OpenEXR image"},
    {0, "#?RADIANCE", "a Radiance HDR image"},
    {0, "qoif", "a QOI image"},
    {0, "\x59\xa6\x6a\x95", "a Sun raster image"},
    {0, "%PDF", "a PDF document"},
    {0, "PK\3\4", "a ZIP archive", "is no image; unpack it"},
    {0, "\x1f\x8b", "a gzip archive", "is no image; unpack it"},
    {0, "version https://git-lfs", "a Git LFS pointer", "is no image; fetch the files with git lfs pull"},
    {0, "<!doctype html", "a web page (HTML)", kDownload},
    {0, "<html", "a web page (HTML)", kDownload},
    {0, "<svg", "an SVG drawing"},
});

// Text formats begin after white space and in letters of any case.
std::string lowered_front(std::string_view text) {
  const size_t begin = std::min(text.find_first_not_of(" \t\r\n"), text.size());
  std::string front(text.substr(begin, 32));
  std::ranges::transform(front, front.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return front;
}

[[noreturn]] void refuse(std::string_view text) {
  if (text.empty()) fail(ErrorKind::kData, "empty");
  const std::string front = lowered_front(text);
  for (const Signature& s : kOthers) {
    const bool binary = text.size() > s.at && text.substr(s.at).starts_with(s.bytes);
    if (binary || (s.bytes[0] == '<' && front.starts_with(s.bytes)))
      fail(ErrorKind::kData, s.name, ' ', s.remedy);
  }
  fail(ErrorKind::kData, "not a JPEG, PNG, BMP, PNM or WebP image");
}

}  // namespace

ImageFormat format_of(Bytes encoded) {
  const std::string_view text = as_text(encoded);
  if (is_jpeg(encoded)) return ImageFormat::kJpeg;
  if (text.starts_with("\x89PNG\r\n\x1a\n")) return ImageFormat::kPng;
  if (text.starts_with("BM")) return ImageFormat::kBmp;
  if (is_pnm(encoded)) return ImageFormat::kPnm;
  if (text.size() > 16 && text.starts_with("RIFF") && text.substr(8, 7) == "WEBPVP8")
    return ImageFormat::kWebp;
  refuse(text);
}

}  // namespace uir
