// From a photo to aligned faces: detection or given landmarks, the choice among several faces, the warp onto
// the template, and how far from the template the points end up.
//
// Shapes: faces are uint8 [112, 112, 3] RGB; points and boxes are in pixels of the stored picture.
// Errors: kData with the reason, without the photo's name, where it gives no face. Threads: an object belongs
// to one thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "uir/config/visitor.h"
#include "uir/images/face_check.h"
#include "uir/images/face_detector.h"
#include "uir/images/orientation.h"
#include "uir/pixels/pixels.h"

namespace uir {

// Which faces of a photo are taken. Central: the one whose box has its middle nearest to that of the photo.
enum class FaceChoice { kLargest, kCentral, kAll };
template <>
struct EnumNames<FaceChoice> {
  static constexpr std::array<EnumName<FaceChoice>, 3> value{
      {{FaceChoice::kLargest, "largest"}, {FaceChoice::kCentral, "central"}, {FaceChoice::kAll, "all"}}};
};

struct FaceAlignerConfig {
  fs::path detector;  // a YuNet (ONNX); empty: landmarks are given
  FaceChoice faces = FaceChoice::kLargest;
  double min_score = 0.7;
  double min_size = 20;  // shorter side of the box [pixels of the photo]
  int detect_side = 640;
  bool check = false;  // detect again on every aligned face
};

// Mean distances from where the template has them [pixels of the aligned face].
struct TemplateDistance {
  double eyes = 0, points = 0;  // of the two eyes, of all five points
};
TemplateDistance distance_from_template(const Landmarks& points);
// Of points of a photo, once they are moved onto the template. kData as estimate_similarity.
TemplateDistance distance_once_aligned(const Landmarks& points);

struct AlignedFace {
  std::optional<DetectedFace> found;  // none: the landmarks were given
  Landmarks landmarks{};
  std::array<uint8_t, kImageBytes> rgb;
  TemplateDistance distance;  // of the landmarks, once aligned
  std::optional<TemplateDistance>
      again;  // of those detected in the aligned face; none: not checked, or not found
};

class FaceAligner {
 public:
  explicit FaceAligner(const FaceAlignerConfig& config);

  // At least one face, largest first. Orientation counts for detection only: landmarks are those of the
  // stored pixels.
  std::vector<AlignedFace> align(const RgbImage& stored, Orientation orientation,
                                 const std::optional<Landmarks>& given);

 private:
  std::vector<DetectedFace> choose(const RgbImage& stored, Orientation orientation);
  std::vector<DetectedFace> candidates(const RgbImage& image);
  std::vector<DetectedFace> confirmed(const RgbImage& image, const std::vector<DetectedFace>& candidates);
  std::vector<DetectedFace> find(const RgbImage& image);
  std::vector<DetectedFace> find_turned(const RgbImage& image);
  AlignedFace warp(const RgbImage& stored, const Landmarks& landmarks);

  FaceAlignerConfig config_;
  std::optional<FaceDetector> detector_, checker_;
  std::optional<FaceCheck> face_check_;
  RgbImage upright_, turned_;
};

}  // namespace uir
