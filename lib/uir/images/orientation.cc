#include "uir/images/orientation.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>

#include "uir/images/header_bytes.h"

namespace uir {
namespace {

// Reads numbers of a block of TIFF structure in its own byte order; nothing beyond its end.
class TiffReader {
 public:
  TiffReader(Bytes block, bool big_endian) : block_(block), big_endian_(big_endian) {}

  std::optional<uint32_t> number(uint64_t at, size_t bytes) const {
    if (at + bytes > block_.size()) return std::nullopt;
    uint32_t value = 0;
    for (size_t i = 0; i < bytes; ++i) {
      const size_t place = big_endian_ ? i : bytes - 1 - i;
      value = value << 8 | std::to_integer<uint32_t>(block_[at + place]);
    }
    return value;
  }

 private:
  Bytes block_;
  bool big_endian_;
};

Orientation orientation_of_tiff(Bytes block) {
  const std::string_view text = as_text(block);
  if (!text.starts_with("II") && !text.starts_with("MM")) return Orientation::kAsStored;
  const TiffReader tiff(block, text[0] == 'M');
  const auto directory = tiff.number(4, 4);
  const auto entries = directory ? tiff.number(*directory, 2) : std::nullopt;
  constexpr uint32_t kTag = 0x0112, kShort = 3;
  for (uint32_t i = 0; i < entries.value_or(0); ++i) {
    const uint64_t entry = uint64_t{*directory} + 2 + uint64_t{12} * i;
    if (tiff.number(entry, 2) != kTag || tiff.number(entry + 2, 2) != kShort) continue;
    const auto value = tiff.number(entry + 8, 2);
    if (value && *value >= 1 && *value <= 8) return static_cast<Orientation>(*value);
  }
  return Orientation::kAsStored;
}

constexpr uint32_t kApp1 = 0xe1, kStartOfImage = 0xd8, kEndOfImage = 0xd9, kStartOfScan = 0xda;

struct JpegSegment {
  uint32_t marker = 0;
  Bytes content;
};

// TEM and RSTn, and the zero of a stuffed byte, which is no marker.
bool has_no_content(uint32_t marker) { return marker <= 1 || (marker >= 0xd0 && marker <= 0xd7); }

// The one that begins at `at` or behind it; `at` is moved to its end. None from the pixels on.
std::optional<JpegSegment> next_segment(Bytes jpeg, size_t& at) {
  const std::string_view text = as_text(jpeg);
  uint32_t marker = 0;
  while (has_no_content(marker)) {
    at = text.find_first_not_of('\xff', text.find('\xff', at));
    if (at >= text.size()) return std::nullopt;
    marker = byte_at(jpeg, at++);
  }
  const bool ends = marker == kStartOfImage || marker == kEndOfImage || marker == kStartOfScan;
  if (ends || at + 2 > jpeg.size()) return std::nullopt;
  const size_t length = byte_at(jpeg, at) << 8 | byte_at(jpeg, at + 1);
  if (length < 2 || at + length > jpeg.size()) return std::nullopt;
  const JpegSegment segment{marker, jpeg.subspan(at + 2, length - 2)};
  at += length;
  return segment;
}

bool swaps_sides(Orientation o) { return static_cast<int>(o) >= 5; }
bool is_mirrored(Orientation o) {
  return o == Orientation::kMirrored || o == Orientation::kMirroredTurned180 ||
         o == Orientation::kTransposed || o == Orientation::kTransversed;
}

// Where the point (x, y) of the upright picture lies in the stored one, whose last column and row are `right`
// and `bottom`.
template <class T>
std::pair<T, T> stored_place(Orientation orientation, T x, T y, T right, T bottom) {
  switch (orientation) {
    case Orientation::kAsStored:
      break;
    case Orientation::kMirrored:
      return {right - x, y};
    case Orientation::kTurned180:
      return {right - x, bottom - y};
    case Orientation::kMirroredTurned180:
      return {x, bottom - y};
    case Orientation::kTransposed:
      return {y, x};
    case Orientation::kTurned90:
      return {y, bottom - x};
    case Orientation::kTransversed:
      return {right - y, bottom - x};
    case Orientation::kTurned270:
      return {right - y, x};
  }
  return {x, y};
}

}  // namespace

// Segments up to the pixels: marker, length (big-endian, itself included), content. What stands between them
// is skipped, as libjpeg does.
Orientation orientation_of(Bytes encoded) {
  if (!is_jpeg(encoded)) return Orientation::kAsStored;
  size_t at = 2;
  while (const std::optional<JpegSegment> segment = next_segment(encoded, at)) {
    constexpr std::string_view kExif("Exif\0\0", 6);
    if (segment->marker == kApp1 && as_text(segment->content).starts_with(kExif))
      return orientation_of_tiff(segment->content.subspan(kExif.size()));
  }
  return Orientation::kAsStored;
}

void turn_upright(const RgbImage& stored, Orientation orientation, RgbImage& upright) {
  upright.size = stored.size;
  if (swaps_sides(orientation)) std::swap(upright.size.width, upright.size.height);
  upright.pixels.resize(upright.size.num_bytes());
  const int right = stored.size.width - 1, bottom = stored.size.height - 1;
  uint8_t* out = upright.pixels.data();
  for (int y = 0; y < upright.size.height; ++y) {
    for (int x = 0; x < upright.size.width; ++x, out += 3) {
      const auto [from_x, from_y] = stored_place(orientation, x, y, right, bottom);
      const size_t from = (static_cast<size_t>(from_y) * static_cast<size_t>(stored.size.width) +
                           static_cast<size_t>(from_x)) *
                          3;
      std::copy_n(stored.pixels.data() + from, 3, out);
    }
  }
}

Landmarks to_stored(const Landmarks& upright, Orientation orientation, ImageSize stored) {
  Landmarks points = upright;
  const auto right = static_cast<float>(stored.width - 1), bottom = static_cast<float>(stored.height - 1);
  for (size_t i = 0; i < points.size(); i += 2)
    std::tie(points[i], points[i + 1]) = stored_place(orientation, upright[i], upright[i + 1], right, bottom);
  if (is_mirrored(orientation)) {
    std::swap_ranges(points.begin(), points.begin() + 2, points.begin() + 2);
    std::swap_ranges(points.begin() + 6, points.begin() + 8, points.begin() + 8);
  }
  return points;
}

// Edges, not centres of pixels: the stored picture ends at its width and height.
FaceBox to_stored(const FaceBox& upright, Orientation orientation, ImageSize stored) {
  const auto width = static_cast<float>(stored.width), height = static_cast<float>(stored.height);
  const auto [ax, ay] = stored_place(orientation, upright[0], upright[1], width, height);
  const auto [bx, by] = stored_place(orientation, upright[2], upright[3], width, height);
  return {std::min(ax, bx), std::min(ay, by), std::max(ax, bx), std::max(ay, by)};
}

}  // namespace uir
