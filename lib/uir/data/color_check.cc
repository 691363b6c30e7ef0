#include "uir/data/color_check.h"

#include <algorithm>

#include "uir/base/error.h"
#include "uir/data/color_order.h"
#include "uir/data/image_source.h"
#include "uir/pixels/pixels.h"

namespace uir {
namespace {

constexpr int64_t kSample = 128;      // images of a source
constexpr int64_t kFewColoured = 20;  // too few to say anything
constexpr int kLargestSide = 512;     // of an image that is decoded for this
// Cheeks, nose and mouth on the template [pixels].
constexpr int64_t kLeft = 36, kRight = 76, kTop = 58, kBottom = 92;
constexpr int64_t kClear = 8;  // mean difference of red and blue that counts [levels]

bool is_small(const Index& index, int64_t row) {
  if (index.pixel_sizes().empty()) return false;
  const auto [width, height] = index.pixel_sizes()[static_cast<size_t>(row)];
  return width > 0 && std::max(width, height) <= kLargestSide;
}

FaceColors colors_of(const ImageSource& images, const SourceInfo& source) {
  const std::vector<int64_t> rows = images.index().set_rows(source.name);
  const auto all = static_cast<int64_t>(rows.size()), count = std::min(kSample, all);
  std::vector<uint8_t> rgb(kImageBytes);
  FaceColors colors;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t row = rows[static_cast<size_t>(i * all / count)];
    if (!is_small(images.index(), row)) continue;
    try {
      images.load(row, rgb.data());
      add_face(colors, rgb.data());
    } catch (const Error&) {  // said where it is used
    }
  }
  return colors;
}

std::string warning_of(const SourceInfo& source, const FaceColors& colors) {
  const bool rgb = color_order_of(source) == ColorOrder::kRgb;
  return concat("source '", source.name, "': ", colors.blue, " of ", colors.coloured,
                " faces looked at are more blue than red, so red and blue seem to be swapped (",
                rgb ? "stored as BGR" : "though color_order: bgr swaps them already",
                "); look at the contact sheet, and if it shows blue faces, write in this source, and run "
                "uir-index again\n    color_order: ",
                rgb ? "bgr" : "rgb");
}

}  // namespace

bool FaceColors::swapped() const {
  return coloured >= kFewColoured && 4 * coloured >= images && 10 * blue >= 9 * coloured;
}

void add_face(FaceColors& colors, const uint8_t* rgb) {
  int64_t red_minus_blue = 0;
  for (int64_t y = kTop; y < kBottom; ++y) {
    for (int64_t x = kLeft; x < kRight; ++x) {
      const uint8_t* pixel = rgb + 3 * (y * kImageSize + x);
      red_minus_blue += pixel[0] - pixel[2];
    }
  }
  const int64_t clear = kClear * (kRight - kLeft) * (kBottom - kTop);
  ++colors.images;
  colors.coloured += std::abs(red_minus_blue) >= clear;
  colors.blue += red_minus_blue <= -clear;
}

std::vector<std::string> color_warnings(const Index& index) {
  std::vector<std::string> warnings;
  const ImageSource images(index);
  for (const SourceInfo& source : index.sources()) {
    if (!has_encoded_images(source.kind)) continue;
    const FaceColors colors = colors_of(images, source);
    if (colors.swapped()) warnings.push_back(warning_of(source, colors));
  }
  return warnings;
}

}  // namespace uir
