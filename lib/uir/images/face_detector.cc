#include "uir/images/face_detector.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/core/version.hpp>
#include <opencv2/imgproc.hpp>
#include <opencv2/objdetect.hpp>
#include <string>
#include <tuple>

#include "uir/base/error.h"

namespace uir {
namespace {

constexpr int kLeastSide = 160;       // no smaller copy is tried
constexpr float kNmsOverlap = 0.3f;   // of two boxes of one face the better one stays
constexpr int kMostBoxes = 5000;      // before that choice
constexpr double kLeastContrast = 8;  // grey values between the darkest and the brightest pixel of a face

// OpenCV writes what it throws to standard error as well; the caller's message says it. Its level is one for
// all threads.
class QuietOpenCv {
 public:
  QuietOpenCv()
      : lock_(mutex()), level_(cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT)) {}
  ~QuietOpenCv() { cv::utils::logging::setLogLevel(level_); }
  QuietOpenCv(const QuietOpenCv&) = delete;
  QuietOpenCv& operator=(const QuietOpenCv&) = delete;

 private:
  static std::mutex& mutex() {
    static std::mutex one;
    return one;
  }
  const std::lock_guard<std::mutex> lock_;
  const cv::utils::logging::LogLevel level_;
};

// Black to the right and below, where the picture is too small for the network's layers: no coordinate
// changes.
void pad(cv::Mat& image) {
  constexpr int kLeastInput = 64;
  const int right = std::max(0, kLeastInput - image.cols), below = std::max(0, kLeastInput - image.rows);
  if (right > 0 || below > 0)
    cv::copyMakeBorder(image, image, 0, below, 0, right, cv::BORDER_CONSTANT, cv::Scalar());
}

// One row of FaceDetectorYN's result: box x, y, width, height; five points, those of the eye and of the
// mouth's corner that are left as seen first; score.
DetectedFace face_of(const float* row, double scale_x, double scale_y) {
  DetectedFace face;
  const auto edge_x = [&](float x) { return static_cast<float>(x * scale_x); };
  const auto edge_y = [&](float y) { return static_cast<float>(y * scale_y); };
  face.box = {edge_x(row[0]), edge_y(row[1]), edge_x(row[0] + row[2]), edge_y(row[1] + row[3])};
  for (size_t i = 0; i < 10; i += 2) {  // centres of pixels
    face.landmarks[i] = static_cast<float>((row[4 + i] + 0.5) * scale_x - 0.5);
    face.landmarks[i + 1] = static_cast<float>((row[5 + i] + 0.5) * scale_y - 0.5);
  }
  face.score = row[14];
  return face;
}

bool is_finite(const DetectedFace& face) {
  const auto finite = [](float x) { return std::isfinite(x); };
  return std::ranges::all_of(face.box, finite) && std::ranges::all_of(face.landmarks, finite) &&
         std::isfinite(face.score);
}

// The network takes pixels of one colour (black: with a score of 0.89) for a face.
bool has_contrast(const cv::Mat& grey, const float* row) {
  const cv::Rect box(cv::Point(cvFloor(row[0]), cvFloor(row[1])),
                     cv::Point(cvCeil(row[0] + row[2]), cvCeil(row[1] + row[3])));
  const cv::Rect inside = box & cv::Rect(0, 0, grey.cols, grey.rows);
  if (inside.empty()) return false;
  double low = 0, high = 0;
  cv::minMaxLoc(grey(inside), &low, &high);
  return high - low >= kLeastContrast;
}

}  // namespace

const char* fitting_detector() {
#if CV_VERSION_MAJOR > 4 || CV_VERSION_MINOR >= 8
  return "face_detection_yunet_2023mar.onnx";
#else
  return "face_detection_yunet_2022mar.onnx";
#endif
}

float score_of_upright_faces() {
#if CV_VERSION_MAJOR > 4 || CV_VERSION_MINOR >= 8
  return 0.89f;
#else
  return 0.9995f;
#endif
}

struct FaceDetector::Impl {
  cv::Ptr<cv::FaceDetectorYN> network;
  int detect_side = 0;
  cv::Mat bgr, scaled, grey, found;

  std::vector<DetectedFace> detect_at(ImageSize original, int side) {
    const double scale = std::min(1.0, static_cast<double>(side) / std::max(original.width, original.height));
    const cv::Size size(std::max(1, cvRound(original.width * scale)),
                        std::max(1, cvRound(original.height * scale)));
    cv::resize(bgr, scaled, size, 0, 0, cv::INTER_AREA);
    cv::cvtColor(scaled, grey, cv::COLOR_BGR2GRAY);
    pad(scaled);
    network->setInputSize(scaled.size());
    network->detect(scaled, found);
    std::vector<DetectedFace> faces;
    for (int i = 0; i < found.rows; ++i) {
      const float* row = found.ptr<float>(i);
      const DetectedFace face = face_of(row, static_cast<double>(original.width) / size.width,
                                        static_cast<double>(original.height) / size.height);
      if (is_finite(face) && has_contrast(grey, row)) faces.push_back(face);
    }
    return faces;
  }
};

FaceDetector::FaceDetector(const fs::path& onnx, float min_score, int detect_side)
    : impl_(std::make_unique<Impl>()) {
  ensure(detect_side >= kLeastSide, "a detector sees at least 160 pixels");
  if (!fs::is_regular_file(onnx)) fail(ErrorKind::kMissingInput, onnx.string(), ": cannot open the detector");
  impl_->detect_side = detect_side;
  const QuietOpenCv quiet;
  try {
    const cv::Mat blank(kLeastSide, kLeastSide, CV_8UC3, cv::Scalar());
    impl_->network =
        cv::FaceDetectorYN::create(onnx.string(), "", blank.size(), min_score, kNmsOverlap, kMostBoxes);
    impl_->network->detect(blank, impl_->found);
  } catch (const cv::Exception& e) {
    fail(ErrorKind::kData, onnx.string(),
         ": OpenCV " CV_VERSION " cannot run this file as a YuNet detector (", e.err,
         "); the file that fits it is ", fitting_detector(), " of OpenCV's model zoo");
  }
}

FaceDetector::~FaceDetector() = default;
FaceDetector::FaceDetector(FaceDetector&&) noexcept = default;

std::vector<DetectedFace> FaceDetector::detect(const RgbImage& image) {
  const cv::Mat rgb(image.size.height, image.size.width, CV_8UC3, const_cast<uint8_t*>(image.pixels.data()));
  cv::cvtColor(rgb, impl_->bgr, cv::COLOR_RGB2BGR);
  const int longer = std::max(image.size.width, image.size.height);
  int side = std::min(impl_->detect_side, longer);
  std::vector<DetectedFace> faces;
  try {
    faces = impl_->detect_at(image.size, side);
    while (faces.empty() && side / 2 >= kLeastSide) faces = impl_->detect_at(image.size, side /= 2);
  } catch (const cv::Exception& e) {
    fail(ErrorKind::kData, "the detector cannot run on it: ", e.err);
  }
  std::ranges::stable_sort(faces, [](const DetectedFace& a, const DetectedFace& b) {
    return std::tuple(-area_of(a.box), -a.score, a.box[0]) < std::tuple(-area_of(b.box), -b.score, b.box[0]);
  });
  return faces;
}

}  // namespace uir
