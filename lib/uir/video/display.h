// How a decoded frame is shown: turned, with square pixels, in which colours.
//
// The display matrix is the track's, else the frame's. Its angle alone (av_display_rotation_get) reads a
// mirrored matrix as a turn; here all four numbers count, and the nearest of the eight orientations is taken.
// Threads: thread-safe.
#pragma once

#include <cstdint>

#include "uir/images/decode.h"
#include "uir/images/orientation.h"

struct AVFrame;

namespace uir {

// (x, y) is shown at (a x + c y, b x + d y), moved into the picture; y grows downwards.
Orientation orientation_of_matrix(int64_t a, int64_t b, int64_t c, int64_t d);

// Weights of red and blue in the luma, and whether luma has all 256 values.
struct ColorCoding {
  double red = 0, blue = 0;
  bool full_range = false;
  int sws_matrix = 0;  // SWS_CS_… of libswscale
  bool operator==(const ColorCoding&) const = default;
};
// By the frame's tags; without: BT.709 where width ≥ 1280 or height > 576, else BT.601, of limited range.
ColorCoding color_coding_of(const AVFrame& frame);

// The stored size stretched to square pixels: one side grows, none shrinks.
ImageSize with_square_pixels(ImageSize stored, int64_t aspect_num, int64_t aspect_den);

}  // namespace uir
