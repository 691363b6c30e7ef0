// Faces and their five points in a photo, by a YuNet network (yunet/yunet.h).
//
// The network sees faces of some 10 to 300 pixels. So a photo is scaled down until its longer side has at
// most `detect_side` pixels, and where nothing is found it is tried again at half that size, down to 160.
// What is found is given in pixels of the photo.
// Shapes: landmarks and boxes as in align.h. Cost: some 3 ms for 320x320 pixels on one thread.
// Errors: kMissingInput for a model that is not there; kData for a file that is no YuNet, with the names of
// those that are. Threads: an object belongs to one thread at a time; results do not depend on what it saw
// before.
#pragma once

#include <memory>
#include <vector>

#include "uir/images/align.h"
#include "uir/images/decode.h"

namespace uir {

struct DetectedFace {
  FaceBox box{};
  float score = 0;  // in [0, 1]
  Landmarks landmarks{};
  bool corrected = false;  // by a closer look (face_check.h), or found in the turned photo
};

class FaceDetector {
 public:
  // Faces below min_score, in [0, 1], are not given.
  FaceDetector(const fs::path& onnx, float min_score, int detect_side);
  ~FaceDetector();
  FaceDetector(FaceDetector&&) noexcept;

  // Largest first; of equal size the better one, then the one further left.
  std::vector<DetectedFace> detect(const RgbImage& image);
  // What this network gives upright faces at least, as measured on LFW, where they have 50 to 100 pixels and
  // room around; to turned heads it gives less.
  float score_of_upright_faces() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The longer and the shorter side of a box are its size: "largest" means area, a minimum the shorter side.
inline float width_of(const FaceBox& box) { return box[2] - box[0]; }
inline float height_of(const FaceBox& box) { return box[3] - box[1]; }
inline float area_of(const FaceBox& box) { return width_of(box) * height_of(box); }

}  // namespace uir
