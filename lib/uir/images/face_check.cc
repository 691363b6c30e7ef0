#include "uir/images/face_check.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <functional>
#include <limits>
#include <vector>

#include "uir/pixels/pixels.h"

namespace uir {
namespace {

using Point = std::complex<double>;

// Deviations, in pixels of the aligned face; docs/curation.md says how they were chosen. Up to the first one
// points are right, where the score is one of upright faces; beyond the second one they are wrong.
constexpr double kSure = 5.5, kMost = 12;
constexpr float kLeastScore = 0.3f;  // of a face in a view
// An aligned face in its view has this part of the template's size.
constexpr double kRoom = 0.5;
// The longer side of a box in a view, as a part of its 112 pixels: scores of turns differ most where faces
// are small.
constexpr std::array kZooms{0.3, 0.5};
// The longer side of a box from which on the detector's points go wrong, in pixels of what it saw.
constexpr float kLargeFace = 300;
// The detector is given the middle of a view: it takes two thirds of the time for that.
constexpr int kViewSide = 96, kViewEdge = (kImageSize - kViewSide) / 2;
const Point kMiddle{(kImageSize - 1) / 2., (kImageSize - 1) / 2.};

Point point_at(const Landmarks& points, size_t i) { return {points[2 * i], points[2 * i + 1]}; }

// Calls change(point) for all points.
template <class Change>
Landmarks changed(const Landmarks& points, Change&& change) {
  Landmarks result{};
  for (size_t i = 0; i < 5; ++i) {
    const Point p = change(point_at(points, i));
    result[2 * i] = static_cast<float>(p.real());
    result[2 * i + 1] = static_cast<float>(p.imag());
  }
  return result;
}

double mean_distance(const Landmarks& a, const Landmarks& b) {
  double sum = 0;
  for (size_t i = 0; i < 5; ++i) sum += std::abs(point_at(a, i) - point_at(b, i));
  return sum / 5;
}

// From between the eyes to between the corners of the mouth.
Point down_of(const Landmarks& points) {
  return point_at(points, 3) + point_at(points, 4) - point_at(points, 0) - point_at(points, 1);
}

// By less than an eighth of a turn.
bool are_turned_alike(const Landmarks& a, const Landmarks& b) {
  const Point turn = down_of(a) * std::conj(down_of(b));
  return turn.real() > std::abs(turn.imag());
}

double distance_from_middle(const DetectedFace& face) {
  const FaceBox& box = face.box;
  return std::abs(Point((box[0] + box[2] - 1) / 2, (box[1] + box[3] - 1) / 2) - kMiddle);
}

}  // namespace

// 112x112 pixels of a photo, turned and scaled: its point z stands at factor z + shift.
struct FaceCheck::View {
  Point factor, shift;

  // A box in the middle, turned clockwise by quarters.
  View(const FaceBox& box, int quarters, double zoom) {
    const Point middle{(box[0] + box[2] - 1) / 2, (box[1] + box[3] - 1) / 2};
    factor = zoom * kImageSize / std::max(width_of(box), height_of(box)) * std::pow(Point(0, 1), quarters);
    shift = kMiddle - factor * middle;
  }
  View(const Similarity& s, double size) : factor(size * Point(s.a, s.b)) {
    shift = kMiddle + size * (Point(s.tx, s.ty) - kMiddle);
  }

  Point in_photo(Point p) const { return (p - shift) / factor; }
  Landmarks in_view(const Landmarks& points) const {
    return changed(points, [&](Point p) { return factor * p + shift; });
  }
  // The box's corners are edges of pixels, half a pixel from their centres.
  DetectedFace in_photo(const DetectedFace& face) const {
    const Point half{0.5, 0.5};
    DetectedFace result = face;
    result.landmarks = changed(face.landmarks, [&](Point p) { return in_photo(p); });
    result.box = {INFINITY, INFINITY, -INFINITY, -INFINITY};
    for (const Point corner : {Point(face.box[0], face.box[1]), Point(face.box[2], face.box[1]),
                               Point(face.box[0], face.box[3]), Point(face.box[2], face.box[3])}) {
      const Point p = in_photo(corner - half) + half;
      result.box = {std::min(result.box[0], static_cast<float>(p.real())),
                    std::min(result.box[1], static_cast<float>(p.imag())),
                    std::max(result.box[2], static_cast<float>(p.real())),
                    std::max(result.box[3], static_cast<float>(p.imag()))};
    }
    return result;
  }
  // What align_face makes this view of.
  Landmarks landmarks() const {
    return changed(kFaceTemplate, [&](Point p) { return in_photo(p); });
  }
};

FaceCheck::FaceCheck(const fs::path& detector, float min_score, int detect_side)
    : detector_(detector, std::min(min_score, kLeastScore), 160),
      min_score_(min_score),
      detect_side_(static_cast<float>(detect_side)),
      pixels_{{kViewSide, kViewSide}, std::vector<uint8_t>(size_t{3} * kViewSide * kViewSide)} {}

// None for points that span no face.
std::optional<FaceCheck::View> FaceCheck::aligned_view(const Landmarks& points) {
  try {
    return View(estimate_similarity(points, kFaceTemplate), kRoom);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kData) throw;
    return std::nullopt;
  }
}

// The face in the middle of a view, in pixels of the view.
std::optional<DetectedFace> FaceCheck::detect(const RgbImage& photo, const View& view) {
  constexpr size_t kRow = size_t{3} * kViewSide;
  std::array<uint8_t, kImageBytes> rgb;
  align_face(photo, view.landmarks(), rgb.data());
  for (size_t y = 0; y < kViewSide; ++y)
    std::copy_n(rgb.data() + ((y + kViewEdge) * kImageSize + kViewEdge) * 3, kRow,
                pixels_.pixels.data() + y * kRow);
  std::vector<DetectedFace> faces = detector_.detect(pixels_);
  if (faces.empty()) return std::nullopt;
  for (DetectedFace& face : faces) {
    for (float& coordinate : face.landmarks) coordinate += kViewEdge;
    for (float& edge : face.box) edge += kViewEdge;
  }
  return std::ranges::min(faces, {}, distance_from_middle);
}

SecondLook FaceCheck::look_again(const RgbImage& photo, const Landmarks& points) {
  const std::optional<View> view = aligned_view(points);
  const std::optional<DetectedFace> again = view ? detect(photo, *view) : std::nullopt;
  if (!again) return {std::numeric_limits<double>::infinity(), 0, false};
  const double deviation = mean_distance(again->landmarks, view->in_view(points)) / kRoom;
  return {deviation, again->score, deviation <= kSure && again->score >= detector_.score_of_upright_faces()};
}

// The face with the points that are found in its aligned view.
std::optional<FaceCheck::Closer> FaceCheck::refined(const RgbImage& photo, DetectedFace face) {
  const std::optional<View> view = aligned_view(face.landmarks);
  const std::optional<DetectedFace> again = view ? detect(photo, *view) : std::nullopt;
  if (!again) return std::nullopt;
  face.landmarks = view->in_photo(*again).landmarks;
  face.corrected = true;
  return Closer{face, look_again(photo, face.landmarks)};
}

// Best first.
std::vector<DetectedFace> FaceCheck::detect_in_turns(const RgbImage& photo, const FaceBox& box, double zoom) {
  std::vector<DetectedFace> faces;
  for (int quarters = 0; quarters < 4; ++quarters) {
    const View view(box, quarters, zoom);
    if (const auto face = detect(photo, view); face && face->score >= min_score_)
      faces.push_back(view.in_photo(*face));
  }
  std::ranges::stable_sort(faces, std::greater(), &DetectedFace::score);
  return faces;
}

// The two turns that score best are followed, closer where they fail.
std::optional<FaceCheck::Closer> FaceCheck::look_closer(const RgbImage& photo, const DetectedFace& face,
                                                        bool keep) {
  std::optional<Closer> best;
  for (const double zoom : kZooms) {
    std::vector<DetectedFace> found = detect_in_turns(photo, face.box, zoom);
    if (keep && !found.empty() && are_turned_alike(found.front().landmarks, face.landmarks))
      return std::nullopt;
    if (found.size() > 2) found.resize(2);
    for (const DetectedFace& candidate : found) {
      const std::optional<Closer> closer = refined(photo, candidate);
      if (closer && closer->look.is_sure) return closer;
      if (closer && (!best || closer->look.deviation < best->look.deviation)) best = closer;
    }
  }
  return best;
}

// Faces that the detector saw at a good size keep their points, unless the head is turned.
std::optional<DetectedFace> FaceCheck::confirm(const RgbImage& photo, const DetectedFace& face) {
  const SecondLook found = look_again(photo, face.landmarks);
  if (found.is_sure) return face;
  const bool possible = found.deviation <= kMost;
  const bool keep = possible && !is_large(photo.size, face.box);
  const std::optional<Closer> closer = look_closer(photo, face, keep);
  if (closer && closer->look.deviation <= kMost) {
    const bool better = are_turned_alike(closer->face.landmarks, face.landmarks)
                            ? !keep && closer->look.deviation < std::min(found.deviation, kSure)
                            : closer->look.score > found.score;
    if (better || !possible) return closer->face;
  }
  return possible ? std::optional(face) : std::nullopt;
}

bool FaceCheck::is_large(ImageSize photo, const FaceBox& box) const {
  const auto longer = static_cast<float>(std::max(photo.width, photo.height));
  return std::max(width_of(box), height_of(box)) * std::min(1.f, detect_side_ / longer) > kLargeFace;
}

}  // namespace uir
