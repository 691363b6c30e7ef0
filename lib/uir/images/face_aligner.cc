#include "uir/images/face_aligner.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <utility>

#include "uir/base/box_overlap.h"
#include "uir/base/error.h"

namespace uir {
namespace {

// Candidates down to this score are asked for, so that the reason can name the best one that was refused.
constexpr double kLeastScore = 0.3;
constexpr float kSameFace = 0.3f;  // overlap of two boxes of one face

float size_of(const DetectedFace& face) { return std::min(width_of(face.box), height_of(face.box)); }

double distance_from_middle(const FaceBox& box, ImageSize size) {
  return std::hypot((box[0] + box[2] - static_cast<float>(size.width)) / 2,
                    (box[1] + box[3] - static_cast<float>(size.height)) / 2);
}

void to_stored(DetectedFace& face, Orientation orientation, ImageSize stored) {
  face.box = to_stored(face.box, orientation, stored);
  face.landmarks = to_stored(face.landmarks, orientation, stored);
}

Landmarks moved(const Landmarks& points, const Similarity& s) {
  Landmarks result;
  for (size_t i = 0; i < points.size(); i += 2) {
    result[i] = static_cast<float>(s.a * points[i] - s.b * points[i + 1] + s.tx);
    result[i + 1] = static_cast<float>(s.b * points[i] + s.a * points[i + 1] + s.ty);
  }
  return result;
}

}  // namespace

TemplateDistance distance_from_template(const Landmarks& points) {
  std::array<double, 5> distances;
  for (size_t i = 0; i < distances.size(); ++i) {
    distances[i] =
        std::hypot(points[2 * i] - kFaceTemplate[2 * i], points[2 * i + 1] - kFaceTemplate[2 * i + 1]);
  }
  TemplateDistance mean{(distances[0] + distances[1]) / 2, 0};
  for (const double distance : distances) mean.points += distance / 5;
  return mean;
}

TemplateDistance distance_once_aligned(const Landmarks& points) {
  return distance_from_template(moved(points, estimate_similarity(points, kFaceTemplate)));
}

FaceAligner::FaceAligner(const FaceAlignerConfig& config) : config_(config) {
  if (config_.detector.empty()) return;
  const auto lowest = static_cast<float>(std::min(config_.min_score, kLeastScore));
  detector_.emplace(config_.detector, lowest, config_.detect_side);
  face_check_.emplace(config_.detector, static_cast<float>(config_.min_score), config_.detect_side);
  if (config_.check)
    checker_.emplace(config_.detector, static_cast<float>(config_.min_score), config_.detect_side);
}

// Those that count, in the order of preference.
std::vector<DetectedFace> FaceAligner::candidates(const RgbImage& image) {
  std::vector<DetectedFace> faces = detector_->detect(image);
  if (faces.empty()) fail(ErrorKind::kData, "no face found");
  const float best = std::ranges::max(faces, {}, &DetectedFace::score).score;
  std::erase_if(faces, [&](const auto& face) { return face.score < config_.min_score; });
  if (faces.empty())
    fail(ErrorKind::kData, "no face found: the best candidate scores ", best, ", below ", config_.min_score);
  const float largest = size_of(std::ranges::max(faces, {}, size_of));
  std::erase_if(faces, [&](const auto& face) { return size_of(face) < config_.min_size; });
  if (faces.empty())
    fail(ErrorKind::kData, "no face of ", config_.min_size, " pixels or more: the largest has ", largest);
  if (config_.faces == FaceChoice::kCentral) {
    std::ranges::stable_sort(faces, {},
                             [&](const auto& face) { return distance_from_middle(face.box, image.size); });
  }
  return faces;
}

// All of them, or the first one. A closer look at one face may end at another one.
std::vector<DetectedFace> FaceAligner::confirmed(const RgbImage& image,
                                                 const std::vector<DetectedFace>& candidates) {
  std::vector<DetectedFace> faces;
  for (const DetectedFace& candidate : candidates) {
    const std::optional<DetectedFace> face = face_check_->confirm(image, candidate);
    const auto is_same = [&](const DetectedFace& other) {
      return overlap_of(face->box, other.box) > kSameFace;
    };
    if (face && std::ranges::none_of(faces, is_same)) faces.push_back(*face);
    if (!faces.empty() && config_.faces != FaceChoice::kAll) return faces;
  }
  std::ranges::stable_sort(faces, std::greater(), [](const auto& face) { return area_of(face.box); });
  return faces;
}

std::vector<DetectedFace> FaceAligner::find(const RgbImage& image) {
  std::vector<DetectedFace> faces = confirmed(image, candidates(image));
  if (faces.empty())
    fail(ErrorKind::kData, "no face whose points are found again in the aligned face, in any of four turns");
  return faces;
}

// The photo turned by quarters: the turn whose face is confirmed best. Given are points of `image`.
std::vector<DetectedFace> FaceAligner::find_turned(const RgbImage& image) {
  std::vector<DetectedFace> best;
  double least = std::numeric_limits<double>::infinity();
  for (const Orientation turn : {Orientation::kTurned90, Orientation::kTurned180, Orientation::kTurned270}) {
    turn_upright(image, turn, turned_);
    try {
      std::vector<DetectedFace> faces = find(turned_);
      const SecondLook look = face_check_->look_again(turned_, faces.front().landmarks);
      if (!look.is_sure || look.deviation > least) continue;
      least = look.deviation;
      for (DetectedFace& face : faces) {
        to_stored(face, turn, image.size);
        face.corrected = true;
      }
      best = std::move(faces);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kData) throw;
    }
  }
  return best;
}

std::vector<DetectedFace> FaceAligner::choose(const RgbImage& stored, Orientation orientation) {
  const bool upright = orientation == Orientation::kAsStored;
  if (!upright) turn_upright(stored, orientation, upright_);
  const RgbImage& image = upright ? stored : upright_;
  std::vector<DetectedFace> faces;
  try {
    faces = find(image);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kData) throw;
    faces = find_turned(image);
    if (faces.empty()) throw;
  }
  for (DetectedFace& face : faces) to_stored(face, orientation, stored.size);
  return faces;
}

AlignedFace FaceAligner::warp(const RgbImage& stored, const Landmarks& landmarks) {
  AlignedFace face;
  face.landmarks = landmarks;
  align_face(stored, landmarks, face.rgb.data());
  face.distance = distance_once_aligned(landmarks);
  if (!checker_) return face;
  RgbImage aligned{{kImageSize, kImageSize}, {face.rgb.begin(), face.rgb.end()}};
  const std::vector<DetectedFace> again = checker_->detect(aligned);
  if (!again.empty()) face.again = distance_from_template(again.front().landmarks);
  return face;
}

std::vector<AlignedFace> FaceAligner::align(const RgbImage& stored, Orientation orientation,
                                            const std::optional<Landmarks>& given) {
  if (!detector_ && !given) fail(ErrorKind::kData, "no landmarks given");
  if (!detector_) return {warp(stored, *given)};
  std::vector<AlignedFace> faces;
  for (const DetectedFace& found : choose(stored, orientation)) {
    faces.push_back(warp(stored, found.landmarks));
    faces.back().found = found;
  }
  return faces;
}

}  // namespace uir
