// How a network wants the pixels of a face: which colour comes first, and in which range.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "uir/pixels/pixels.h"

namespace uir {

enum class ColorOrder { kRgb, kBgr };
enum class PixelRange { kBytes, kSigned, kSigned128, kUnit, kImageNet };

struct PixelPreparation {
  PixelRange range = PixelRange::kSigned;
  ColorOrder order = ColorOrder::kRgb;
  bool operator==(const PixelPreparation&) const = default;
};

inline constexpr std::array kColorOrders{ColorOrder::kRgb, ColorOrder::kBgr};
inline constexpr std::array kPixelRanges{PixelRange::kBytes, PixelRange::kSigned, PixelRange::kSigned128,
                                         PixelRange::kUnit, PixelRange::kImageNet};

constexpr std::string_view text_of(ColorOrder order) {
  return order == ColorOrder::kRgb ? kColorOrder : "BGR";
}
// As manifests and metadata spell it.
constexpr std::string_view text_of(PixelRange range) {
  switch (range) {
    case PixelRange::kBytes:
      return "x";
    case PixelRange::kSigned:
      return kNormalization;
    case PixelRange::kSigned128:
      return "(x - 127.5) / 128";
    case PixelRange::kUnit:
      return "x / 255";
    case PixelRange::kImageNet:
      return "(x / 255 - mean) / deviation of ImageNet";
  }
  return "";
}
inline std::string text_of(const PixelPreparation& preparation) {
  return std::string(text_of(preparation.order)) + ", " + std::string(text_of(preparation.range));
}

// A byte x of the network's channel c becomes x · scale[c] + shift[c]; the channel is the image's (RGB) of
// index source[c].
struct PixelScale {
  std::array<double, 3> scale{}, shift{};
  std::array<int64_t, 3> source{0, 1, 2};
};
constexpr PixelScale pixel_scale(const PixelPreparation& preparation) {
  constexpr std::array<double, 3> kMean{0.485, 0.456, 0.406}, kDeviation{0.229, 0.224, 0.225};  // of RGB
  PixelScale result;
  for (size_t c = 0; c < 3; ++c) {
    const size_t source = preparation.order == ColorOrder::kRgb ? c : 2 - c;
    result.source[c] = static_cast<int64_t>(source);
    switch (preparation.range) {
      case PixelRange::kBytes:
        result.scale[c] = 1;
        break;
      case PixelRange::kSigned:
        result.scale[c] = 1 / 127.5;
        result.shift[c] = -1;
        break;
      case PixelRange::kSigned128:
        result.scale[c] = 1 / 128.0;
        result.shift[c] = -127.5 / 128;
        break;
      case PixelRange::kUnit:
        result.scale[c] = 1 / 255.0;
        break;
      case PixelRange::kImageNet:
        result.scale[c] = 1 / (255 * kDeviation[source]);
        result.shift[c] = -kMean[source] / kDeviation[source];
        break;
    }
  }
  return result;
}

}  // namespace uir
