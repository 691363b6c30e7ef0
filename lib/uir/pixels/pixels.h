// The picture that networks see: an aligned face, RGB, and what its bytes become. Free of everything.
#pragma once

#include <cstdint>
#include <string_view>

namespace uir {

inline constexpr int64_t kImageSize = 112;  // width and height [pixels]
inline constexpr int64_t kImageBytes = kImageSize * kImageSize * 3;

// A byte x becomes (x − kPixelMiddle) / kPixelMiddle, from −1 to 1. The two texts stand in manifests, weights
// and exported files, where readers compare them.
inline constexpr double kPixelMiddle = 127.5;
inline constexpr std::string_view kColorOrder = "RGB", kNormalization = "(x - 127.5) / 127.5";
// What stands for the latter in exported files that do it themselves.
inline constexpr std::string_view kNormalizedInside = "inside: the input is 0 to 255";

}  // namespace uir
