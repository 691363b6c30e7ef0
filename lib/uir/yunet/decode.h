// From a YuNet's numbers to faces: where they stand, how sure they are, and which of many boxes of one face
// stays.
//
// Source: FaceDetectorYN of OpenCV 4.6 and 4.8 and its NMSBoxes; to the departure that numbers which are not
// finite give no face.
// Threads: pure functions.
#pragma once

#include <array>
#include <vector>

#include "uir/yunet/forward_pass.h"
#include "uir/yunet/network.h"

namespace uir {

struct YuNetFace {
  float x, y, width, height;     // of the box: its corner at the top left
  std::array<float, 10> points;  // x and y: eyes, nose, corners of the mouth; those left in the picture first
  float score;                   // in [0, 1]
};

// Those above min_score, in the order of the maps.
std::vector<YuNetFace> decode(YuNetGeneration generation, const std::vector<YuNetMap>& maps, float min_score);
// Best first, of equal ones in their order; each that overlaps no better one by more than 0.3. Looks at the
// best 5000 only, and at whole pixels of boxes, as OpenCV does.
std::vector<YuNetFace> best_of_each(std::vector<YuNetFace> faces);

}  // namespace uir
