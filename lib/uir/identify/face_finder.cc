#include "uir/identify/face_finder.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <optional>

#include "uir/base/box_overlap.h"
#include "uir/base/error.h"
#include "uir/base/parallel.h"

namespace uir {
namespace {

// Mean square of the Laplacian of the brightness inside the face.
double sharpness_of(const FacePixels& rgb) {
  constexpr int kSide = static_cast<int>(kImageSize), kMargin = 20;
  const auto luma = [&](int x, int y) {
    const uint8_t* p = rgb.data() + 3 * (y * kSide + x);
    return 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2];
  };
  double sum = 0;
  int count = 0;
  for (int y = kMargin; y < kSide - kMargin; y += 2) {
    for (int x = kMargin; x < kSide - kMargin; x += 2, ++count) {
      const double laplacian =
          luma(x - 1, y) + luma(x + 1, y) + luma(x, y - 1) + luma(x, y + 1) - 4 * luma(x, y);
      sum += laplacian * laplacian;
    }
  }
  return sum / count;
}

// 0 for a face from the front, about 1 for a profile.
double turn_of(const Landmarks& p) {
  const double eyes_x = p[2] - p[0], eyes_y = p[3] - p[1], square = eyes_x * eyes_x + eyes_y * eyes_y;
  if (square <= 0) return 1;
  const double along = ((p[4] - p[0]) * eyes_x + (p[5] - p[1]) * eyes_y) / square;
  return std::min(1., 2 * std::abs(along - 0.5));
}

FilmFace film_face(const RgbImage& image, const DetectedFace& found) {
  auto pixels = std::make_shared<FacePixels>();
  align_face(image, found.landmarks, pixels->data());
  const double quality = face_quality(found, *pixels);
  return {found.box, found.score, quality, std::move(pixels)};
}

bool fills_much(const FaceBox& box, ImageSize picture) {
  constexpr float kMuch = 0.4f;  // of the shorter side
  return std::min(width_of(box), height_of(box)) >
         kMuch * static_cast<float>(std::min(picture.width, picture.height));
}

// A closer look may end at a face that was found by itself.
bool is_another_one(const DetectedFace& confirmed, const DetectedFace& found,
                    std::span<const DetectedFace> all) {
  constexpr double kSame = 0.3;
  return std::ranges::any_of(all, [&](const DetectedFace& other) {
    return other.box != found.box && overlap_of(other.box, confirmed.box) > kSame;
  });
}

}  // namespace

double face_quality(const DetectedFace& face, const FacePixels& aligned) {
  constexpr double kFullSize = 80, kHalfSharp = 40;
  const double side = std::min(width_of(face.box), height_of(face.box));
  const double size = std::clamp(side / kFullSize, 0., 1.), sharp = sharpness_of(aligned);
  return size * sharp / (sharp + kHalfSharp) * (1 - 0.8 * turn_of(face.landmarks));
}

std::vector<FilmFace> FaceFinder::faces_of(const VideoFrame& frame, Eyes& eyes, RgbImage& image) {
  frame.picture(image);
  std::vector<FilmFace> faces;
  const std::vector<DetectedFace> all = eyes.detector.detect(image);
  for (DetectedFace found : all) {
    if (fills_much(found.box, image.size)) {
      const std::optional<DetectedFace> confirmed = eyes.check.confirm(image, found);
      if (!confirmed || is_another_one(*confirmed, found, all)) continue;
      found = *confirmed;
    }
    try {
      faces.push_back(film_face(image, found));
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kData) throw;
    }
  }
  return faces;
}

FaceFinder::FaceFinder(const FaceFinderOptions& options) {
  const auto score = static_cast<float>(options.min_score);
  for (int i = 0; i < options.threads; ++i) {
    eyes_.push_back({FaceDetector(options.detector, score, options.detect_side),
                     FaceCheck(options.detector, score, options.detect_side)});
  }
}

std::vector<std::vector<FilmFace>> FaceFinder::find(std::span<const VideoFrame> frames) {
  std::vector<std::vector<FilmFace>> found(frames.size());
  const auto threads = static_cast<int64_t>(eyes_.size());
  std::atomic<int64_t> next{0};
  parallel_blocks(threads, 1, static_cast<int>(threads), [&](int64_t worker, int64_t) {
    RgbImage image;
    for (int64_t i; (i = next++) < static_cast<int64_t>(frames.size());) {
      const auto at = static_cast<size_t>(i);
      found[at] = faces_of(frames[at], eyes_[static_cast<size_t>(worker)], image);
    }
  });
  return found;
}

}  // namespace uir
