// The faces of many frames at once: found, aligned, judged; a detector for every thread.
//
// Faces are given as FaceDetector does, those that cannot be aligned left out. One that fills much of the
// picture is looked at again (face_check.h): the detector sees such faces in walls and curtains, too.
// Results do not depend on the number of threads. Cost: some 5 ms a frame and thread at detect_side 640.
// Errors: those of face_detector.h and VideoFrame. Threads: an object belongs to one thread at a time.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "uir/images/align.h"
#include "uir/images/face_check.h"
#include "uir/images/face_detector.h"
#include "uir/pixels/pixels.h"
#include "uir/video/video_frame.h"

namespace uir {

using FacePixels = std::array<uint8_t, kImageBytes>;  // [112, 112, 3] RGB

struct FilmFace {
  FaceBox box{};
  float score = 0;
  // How much its embedding should count, in [0, 1]: by size, sharpness, and how far the head is turned.
  double quality = 0;
  std::shared_ptr<const FacePixels> pixels;  // aligned
};

struct FaceFinderOptions {
  fs::path detector;
  double min_score = 0.6;
  int detect_side = 640;
  int threads = 1;
};

// What finds the faces of frames, in the order of these.
using FindFaces = std::function<std::vector<std::vector<FilmFace>>(std::span<const VideoFrame>)>;

class FaceFinder {
 public:
  explicit FaceFinder(const FaceFinderOptions& options);

  std::vector<std::vector<FilmFace>> find(std::span<const VideoFrame> frames);

 private:
  struct Eyes {
    FaceDetector detector;
    FaceCheck check;
  };
  static std::vector<FilmFace> faces_of(const VideoFrame& frame, Eyes& eyes, RgbImage& image);

  std::vector<Eyes> eyes_;  // of each thread
};

// In [0, 1]. By the shorter side of its box (full from 80 pixels on), the sharpness of its pixels, and the
// nose's distance from the middle between the eyes.
double face_quality(const DetectedFace& face, const FacePixels& aligned);

}  // namespace uir
