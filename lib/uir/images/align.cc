#include "uir/images/align.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstring>
#include <opencv2/imgproc.hpp>

#include "uir/base/error.h"
#include "uir/pixels/pixels.h"

namespace uir {
namespace {

constexpr int kSide = static_cast<int>(kImageSize);
using Points = std::array<std::complex<double>, 5>;

Points to_points(const Landmarks& landmarks) {
  Points points;
  for (size_t i = 0; i < points.size(); ++i) points[i] = {landmarks[2 * i], landmarks[2 * i + 1]};
  return points;
}

std::complex<double> mean(const Points& points) {
  std::complex<double> sum = 0;
  for (const auto& p : points) sum += p;
  return sum / 5.0;
}

cv::Mat view(const RgbImage& image) {
  return {image.size.height, image.size.width, CV_8UC3, const_cast<uint8_t*>(image.pixels.data())};
}

void resize(const cv::Mat& image, uint8_t* rgb) {
  cv::Mat output(kSide, kSide, CV_8UC3, rgb);
  const bool enlarges = image.cols < kSide || image.rows < kSide;
  cv::resize(image, output, output.size(), 0, 0, enlarges ? cv::INTER_LINEAR : cv::INTER_AREA);
}

}  // namespace

// With centred points p -> q the best complex factor is sum(q conj(p)) / sum(|p|^2): Umeyama's scale times
// his proper rotation.
Similarity estimate_similarity(const Landmarks& from, const Landmarks& to) {
  const bool finite = std::all_of(from.begin(), from.end(), [](float x) { return std::isfinite(x); });
  if (!finite) fail(ErrorKind::kData, "a landmark is not a finite number");
  const Points p = to_points(from), q = to_points(to);
  const std::complex<double> p_mean = mean(p), q_mean = mean(q);
  std::complex<double> covariance = 0;
  double variance = 0;
  for (size_t i = 0; i < p.size(); ++i) {
    covariance += (q[i] - q_mean) * std::conj(p[i] - p_mean);
    variance += std::norm(p[i] - p_mean);
  }
  // Half a pixel of spread over the face, or points whose best fit shrinks to nothing, show no face.
  if (variance < 0.25 || std::norm(covariance) < 1e-6 * variance * variance) {
    fail(ErrorKind::kData, "the five landmarks do not span a face (they coincide or cancel out)");
  }
  const std::complex<double> factor = covariance / variance;
  const std::complex<double> shift = q_mean - factor * p_mean;
  return {factor.real(), factor.imag(), shift.real(), shift.imag()};
}

void align_face(const RgbImage& image, const Landmarks& landmarks, uint8_t* rgb) {
  warp(image, estimate_similarity(landmarks, kFaceTemplate), rgb);
}

void resize_face(const RgbImage& image, uint8_t* rgb) { resize(view(image), rgb); }

void crop_face(const RgbImage& image, const FaceBox& box, uint8_t* rgb) {
  const auto edge = [](float value, int end) {
    return static_cast<int>(std::clamp<float>(value, 0, static_cast<float>(end)));
  };
  const int left = edge(std::floor(box[0]), image.size.width),
            top = edge(std::floor(box[1]), image.size.height);
  const int right = edge(std::ceil(box[2]), image.size.width),
            bottom = edge(std::ceil(box[3]), image.size.height);
  if (!(left < right && top < bottom)) {
    fail(ErrorKind::kData, "the box (", box[0], ", ", box[1], ", ", box[2], ", ", box[3],
         ") covers nothing of the ", image.size.width, "x", image.size.height, " pixels");
  }
  resize(view(image)(cv::Range(top, bottom), cv::Range(left, right)), rgb);
}

void shift_face(uint8_t* rgb, int64_t dx, int64_t dy) {
  if (dx == 0 && dy == 0) return;
  std::array<uint8_t, kImageBytes> old;
  std::memcpy(old.data(), rgb, kImageBytes);
  for (int64_t y = 0; y < kImageSize; ++y) {
    const uint8_t* row = old.data() + std::clamp<int64_t>(y - dy, 0, kImageSize - 1) * kImageSize * 3;
    for (int64_t x = 0; x < kImageSize; ++x, rgb += 3) {
      std::memcpy(rgb, row + std::clamp<int64_t>(x - dx, 0, kImageSize - 1) * 3, 3);
    }
  }
}

}  // namespace uir
