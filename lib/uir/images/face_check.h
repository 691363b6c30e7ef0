// Whether the points that a detector found are those of the face as it stands, and where they are if not.
//
// YuNet puts the points of an upright face on a turned head, and misplaces them on a face that fills the
// photo, both with high scores: neither score nor points tell. What tells is to detect again in the face
// aligned by them, with some room around it: right points are found again, wrong ones are not. Where they are
// not, the face is looked at closer, in four turns and with more room. docs/curation.md has the limits, and
// how they were chosen.
// Cost: a detection in 96x96 pixels per face; a closer look takes 8 to 16 of them.
// Errors: those of face_detector.h. Threads: an object belongs to one thread at a time.
#pragma once

#include <optional>
#include <vector>

#include "uir/images/face_detector.h"

namespace uir {

// What is detected again in the face aligned by its points.
struct SecondLook {
  // Mean distance from those points [pixels of the aligned face]; infinite if no face is found.
  double deviation;
  float score;
  bool is_sure;  // such points are right
};

class FaceCheck {
 public:
  // Faces of a lower score than min_score are not taken for others. detect_side: as of the detector that
  // found the faces.
  FaceCheck(const fs::path& detector, float min_score, int detect_side);

  SecondLook look_again(const RgbImage& photo, const Landmarks& points);
  // The face as it is where its points are right, or what a closer look finds in its place; none if there are
  // no right points.
  std::optional<DetectedFace> confirm(const RgbImage& photo, const DetectedFace& face);

 private:
  struct View;
  struct Closer {
    DetectedFace face;
    SecondLook look;
  };

  static std::optional<View> aligned_view(const Landmarks& points);
  std::optional<DetectedFace> detect(const RgbImage& photo, const View& view);
  std::vector<DetectedFace> detect_in_turns(const RgbImage& photo, const FaceBox& box, double zoom);
  std::optional<Closer> refined(const RgbImage& photo, DetectedFace face);
  std::optional<Closer> look_closer(const RgbImage& photo, const DetectedFace& face, bool keep);
  bool is_large(ImageSize photo, const FaceBox& box) const;

  FaceDetector detector_;
  float min_score_, detect_side_;
  RgbImage pixels_;  // of a view
};

}  // namespace uir
