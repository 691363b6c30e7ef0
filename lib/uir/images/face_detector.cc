#include "uir/images/face_detector.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <tuple>

#include "uir/base/error.h"
#include "uir/yunet/yunet.h"

namespace uir {
namespace {

constexpr int kLeastSide = 160;       // no smaller copy is tried
constexpr double kLeastContrast = 8;  // grey values between the darkest and the brightest pixel of a face

DetectedFace in_photo(const YuNetFace& found, double scale_x, double scale_y) {
  DetectedFace face;
  const auto edge_x = [&](float x) { return static_cast<float>(x * scale_x); };
  const auto edge_y = [&](float y) { return static_cast<float>(y * scale_y); };
  face.box = {edge_x(found.x), edge_y(found.y), edge_x(found.x + found.width),
              edge_y(found.y + found.height)};
  for (size_t i = 0; i < 10; i += 2) {  // centres of pixels
    face.landmarks[i] = static_cast<float>((found.points[i] + 0.5) * scale_x - 0.5);
    face.landmarks[i + 1] = static_cast<float>((found.points[i + 1] + 0.5) * scale_y - 0.5);
  }
  face.score = found.score;
  return face;
}

bool is_finite(const DetectedFace& face) {
  const auto finite = [](float x) { return std::isfinite(x); };
  return std::ranges::all_of(face.box, finite) && std::ranges::all_of(face.landmarks, finite);
}

// The network takes pixels of one colour (black: with a score of 0.89) for a face.
bool has_contrast(const cv::Mat& rgb, const YuNetFace& face) {
  const cv::Rect box(cv::Point(cvFloor(face.x), cvFloor(face.y)),
                     cv::Point(cvCeil(face.x + face.width), cvCeil(face.y + face.height)));
  const cv::Rect inside = box & cv::Rect(0, 0, rgb.cols, rgb.rows);
  if (inside.empty()) return false;
  cv::Mat grey;
  cv::cvtColor(rgb(inside), grey, cv::COLOR_RGB2GRAY);
  double low = 0, high = 0;
  cv::minMaxLoc(grey, &low, &high);
  return high - low >= kLeastContrast;
}

}  // namespace

struct FaceDetector::Impl {
  YuNet network;
  float min_score;
  int detect_side;
  cv::Mat memory;  // of smaller copies

  std::vector<DetectedFace> detect_at(const cv::Mat& rgb, int side) {
    const double scale = std::min(1.0, static_cast<double>(side) / std::max(rgb.cols, rgb.rows));
    const cv::Size size(std::max(1, cvRound(rgb.cols * scale)), std::max(1, cvRound(rgb.rows * scale)));
    if (size != rgb.size()) cv::resize(rgb, memory, size, 0, 0, cv::INTER_AREA);
    const cv::Mat& scaled = size == rgb.size() ? rgb : memory;
    std::vector<DetectedFace> faces;
    for (const YuNetFace& found : network.detect(scaled.data, scaled.cols, scaled.rows, min_score)) {
      const DetectedFace face = in_photo(found, static_cast<double>(rgb.cols) / size.width,
                                         static_cast<double>(rgb.rows) / size.height);
      if (is_finite(face) && has_contrast(scaled, found)) faces.push_back(face);
    }
    return faces;
  }
};

FaceDetector::FaceDetector(const fs::path& onnx, float min_score, int detect_side) {
  ensure(detect_side >= kLeastSide, "a detector sees at least 160 pixels");
  if (!fs::is_regular_file(onnx)) fail(ErrorKind::kMissingInput, onnx.string(), ": cannot open the detector");
  impl_ = std::make_unique<Impl>(Impl{YuNet(onnx), min_score, detect_side, {}});
}

FaceDetector::~FaceDetector() = default;
FaceDetector::FaceDetector(FaceDetector&&) noexcept = default;

std::vector<DetectedFace> FaceDetector::detect(const RgbImage& image) {
  const cv::Mat rgb(image.size.height, image.size.width, CV_8UC3, const_cast<uint8_t*>(image.pixels.data()));
  int side = std::min(impl_->detect_side, std::max(image.size.width, image.size.height));
  std::vector<DetectedFace> faces = impl_->detect_at(rgb, side);
  while (faces.empty() && side / 2 >= kLeastSide) faces = impl_->detect_at(rgb, side /= 2);
  std::ranges::stable_sort(faces, [](const DetectedFace& a, const DetectedFace& b) {
    return std::tuple(-area_of(a.box), -a.score, a.box[0]) < std::tuple(-area_of(b.box), -b.score, b.box[0]);
  });
  return faces;
}

float FaceDetector::score_of_upright_faces() const {
  return impl_->network.generation() == YuNetGeneration::k2022 ? 0.9995f : 0.89f;
}

}  // namespace uir
