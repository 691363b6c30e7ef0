// The bilinear warp of alignment, in whole numbers: the same bytes on every processor, with every
// compiler, and whatever version of OpenCV is installed.
//
// Arithmetic: output pixel (x, y) shows the place p = inverse(x, y) of the image. The inverse's four numbers
// are rounded to 2^-24 pixel (and held within ±2^30 pixels), so sums are exact; p is rounded to the nearest
// 1/2048 pixel, halves upwards. With p = (i, j) + (f, g) / 2048 a channel is
//   top    = ((2048 - f) I[j][i]   + f I[j][i+1]   + 2^3) >> 4,
//   bottom = ((2048 - f) I[j+1][i] + f I[j+1][i+1] + 2^3) >> 4,
//   value  = ((2048 - g) top + g bottom + 2^17) >> 18,
// where I is 0 outside of the image. So it is off the exact value by at most 0.51 and 1/4096 of the
// difference between neighbouring pixels in x and in y (OpenCV's warpAffine before 5.0 rounds p to 1/32
// pixel).
// Shapes: rgb is uint8 [112, 112, 3]. Cost: some 0.1 ms. Errors: none. Threads: thread-safe.
#pragma once

#include <cstdint>

#include "uir/images/decode.h"

namespace uir {

// (x, y) -> (a x - b y + tx, b x + a y + ty): rotation by atan2(b, a), scale hypot(a, b).
struct Similarity {
  double a = 1, b = 0, tx = 0, ty = 0;
};

// a and b are not both zero.
Similarity inverse(const Similarity& similarity);
// The image as `to_face` moves it; black where there is no image.
void warp(const RgbImage& image, const Similarity& to_face, uint8_t* rgb);

}  // namespace uir
