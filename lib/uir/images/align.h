// Geometry on the way to the network's 112x112 pixels: alignment by five landmarks, resizing, shifting.
//
// Shapes: landmarks are x, y of left eye, right eye, nose, left and right corner of the mouth, in pixels of
// the stored image, (0, 0) the centre of the top left pixel; outputs are [112, 112, 3] RGB.
// Source: Umeyama, "Least-squares estimation of transformation parameters between two point patterns", TPAMI
// 1991; in the plane its proper rotation with scale is one complex number, so there is no reflection to guard
// against. Outputs are written to `rgb`, which has room for kImageBytes; they are undefined after an
// exception.
// Cost: one pass over the output; stretching to a smaller size reads all that it covers. Threads:
// thread-safe.
// Errors: kData for landmarks that are not finite or (nearly) coincide.
#pragma once

#include <array>
#include <cstdint>

#include "uir/images/decode.h"
#include "uir/images/warp.h"

namespace uir {

using Landmarks = std::array<float, 10>;
// x1, y1, x2, y2: from the left and upper edge to the right and lower one, in pixels, (0, 0) the corner of
// the image.
using FaceBox = std::array<float, 4>;

// Where an aligned 112x112 face has its landmarks (the template of ArcFace's public crops).
inline constexpr Landmarks kFaceTemplate{38.2946f, 51.6963f, 73.5318f, 51.5014f, 56.0252f,
                                         71.7366f, 41.5493f, 92.3655f, 70.7299f, 92.2041f};

// The similarity that brings `from` closest to `to` in the least squares sense. Not robust on purpose: every
// published aligned data set was made this way.
Similarity estimate_similarity(const Landmarks& from, const Landmarks& to);
// Warps the face onto the template: bilinear, black outside the image (warp.h has the arithmetic).
void align_face(const RgbImage& image, const Landmarks& landmarks, uint8_t* rgb);
// Stretches the image to 112x112: area averages when shrinking, bilinear when enlarging.
void resize_face(const RgbImage& image, uint8_t* rgb);
// The same with the part of the image that the box covers: its edges rounded outwards to whole pixels and cut
// off at the image's border. kData if nothing is left.
void crop_face(const RgbImage& image, const FaceBox& box, uint8_t* rgb);
// Moves a 112x112 image by (dx, dy) pixels to the right and down; the border is replicated.
void shift_face(uint8_t* rgb, int64_t dx, int64_t dy);

}  // namespace uir
