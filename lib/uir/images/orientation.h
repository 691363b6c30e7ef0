// The orientation tag that cameras write into JPEG files (EXIF), and turning pictures and points by it.
//
// Decoded pixels are as stored (decode.h), and landmarks refer to these; a detector needs heads up. So a
// picture is turned for the detector, and what it finds is turned back.
// Source: Exif 2.32, tag 0x0112; values 2, 4, 5 and 7 are mirrored.
// Errors: none: a tag that is not there, damaged or unknown is "as stored". Threads: thread-safe.
#pragma once

#include "uir/images/align.h"
#include "uir/images/decode.h"

namespace uir {

enum class Orientation {
  kAsStored = 1,
  kMirrored = 2,
  kTurned180 = 3,
  kMirroredTurned180 = 4,
  kTransposed = 5,
  kTurned90 = 6,  // to be turned clockwise by 90 degrees
  kTransversed = 7,
  kTurned270 = 8
};

// Of a JPEG; kAsStored for anything else.
Orientation orientation_of(Bytes encoded);
// Upright pixels of a stored picture.
void turn_upright(const RgbImage& stored, Orientation orientation, RgbImage& upright);
// Where points and a box of the upright picture lie in the stored one, whose size this is. In a mirrored
// picture left and right points change places, so that left stays left as seen.
Landmarks to_stored(const Landmarks& upright, Orientation orientation, ImageSize stored);
FaceBox to_stored(const FaceBox& upright, Orientation orientation, ImageSize stored);

}  // namespace uir
