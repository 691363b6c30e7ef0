#include "uir/images/face_detector.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <opencv2/core/version.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <opencv2/objdetect.hpp>
#include <string>
#include <vector>

#include "support/catch.h"
#include "support/errors.h"
#include "support/real_data.h"
#include "support/temp_folder.h"
#include "uir/formats/zip.h"
#include "uir/yunet/yunet.h"

using namespace uir;

namespace {

constexpr std::array kPublished{"face_detection_yunet_2022mar.onnx", "face_detection_yunet_2023mar.onnx"};

// The one that this OpenCV runs.
#if CV_VERSION_MAJOR > 4 || CV_VERSION_MINOR >= 8
const char* const kOpenCvs = kPublished[1];
#else
const char* const kOpenCvs = kPublished[0];
#endif

// Some photos of LFW.
std::vector<cv::Mat> photos(int count) {
  const fs::path path = real_data("lfw/lfw_deepfunneled250_folds1-2.zip");
  std::vector<cv::Mat> images;
  if (path.empty()) return images;
  const ZipFile zip(path);
  for (const ZipEntry& entry : zip.entries()) {
    if (!entry.name.ends_with(".jpg") || static_cast<int>(images.size()) >= count) continue;
    const Bytes bytes = zip.read(entry);
    images.push_back(
        cv::imdecode(cv::Mat(1, static_cast<int>(bytes.size()), CV_8U, const_cast<std::byte*>(bytes.data())),
                     cv::IMREAD_COLOR));
  }
  return images;
}

// Photos side by side and cut at the edges, in a picture of this size.
cv::Mat montage(const std::vector<cv::Mat>& images, cv::Size size, double scale) {
  cv::Mat canvas(size, CV_8UC3, cv::Scalar(90, 120, 60));
  size_t next = 0;
  for (int y = -40; y < size.height; y += cvRound(250 * scale)) {
    for (int x = -30; x < size.width; x += cvRound(250 * scale)) {
      cv::Mat image;
      cv::resize(images[next++ % images.size()], image, {}, scale, scale, cv::INTER_AREA);
      const cv::Rect part = cv::Rect(x, y, image.cols, image.rows) & cv::Rect({}, size);
      image(part - cv::Point(x, y)).copyTo(canvas(part));
    }
  }
  return canvas;
}

// OpenCV's rows: box x, y, width, height; five points; score.
cv::Mat found_by_opencv(cv::FaceDetectorYN& network, cv::Mat bgr) {
  cv::copyMakeBorder(bgr, bgr, 0, std::max(0, 64 - bgr.rows), 0, std::max(0, 64 - bgr.cols),
                     cv::BORDER_CONSTANT);
  network.setInputSize(bgr.size());
  cv::Mat rows;
  network.detect(bgr, rows);
  return rows;
}

std::array<float, 14> numbers_of(const YuNetFace& face) {
  std::array<float, 14> numbers{face.x, face.y, face.width, face.height};
  std::ranges::copy(face.points, numbers.begin() + 4);
  return numbers;
}

void check_like_opencv(YuNet& ours, cv::FaceDetectorYN& theirs, const cv::Mat& bgr, float min_score,
                       int& faces) {
  INFO(bgr.cols << "x" << bgr.rows);
  cv::Mat rgb;
  cv::cvtColor(bgr, rgb, cv::COLOR_BGR2RGB);
  const std::vector<YuNetFace> found = ours.detect(rgb.data, rgb.cols, rgb.rows, min_score);
  const cv::Mat expected = found_by_opencv(theirs, bgr);
  REQUIRE(static_cast<int>(found.size()) == expected.rows);
  for (int i = 0; i < expected.rows; ++i, ++faces) {
    const auto* row = expected.ptr<float>(i);
    const YuNetFace& face = found[static_cast<size_t>(i)];
    const std::array<float, 14> numbers = numbers_of(face);
    for (size_t k = 0; k < 14; ++k) CHECK(std::abs(numbers[k] - row[k]) < 0.005f);
    CHECK(std::abs(face.score - row[14]) < 1e-4f);
  }
}

}  // namespace

TEST_CASE("Both published detectors run, and find no face where there is none", "[face_detector]") {
  const fs::path folder = real_data("detector");
  if (folder.empty()) return;
  for (const char* name : kPublished) {
    FaceDetector detector(folder / name, 0.3f, 640);
    CHECK(detector.detect({{320, 320}, std::vector<uint8_t>(320 * 320 * 3)}).empty());  // black
    CHECK(detector.detect({{1, 1}, {1, 2, 3}}).empty());
  }
  CHECK(FaceDetector(folder / kPublished[0], 0.5f, 640).score_of_upright_faces() == 0.9995f);
  CHECK(FaceDetector(folder / kPublished[1], 0.5f, 640).score_of_upright_faces() == 0.89f);
}

TEST_CASE("What is no detector is refused", "[face_detector]") {
  CHECK(kind_of([] { FaceDetector("nowhere.onnx", 0.5f, 640); }) == ErrorKind::kMissingInput);
  CHECK(kind_of([] { FaceDetector(fs::temp_directory_path(), 0.5f, 640); }) == ErrorKind::kMissingInput);
  const TempFolder temp;
  std::ofstream(temp / "text.onnx") << "no network";
  const auto error = error_of([&] { FaceDetector(temp / "text.onnx", 0.5f, 640); });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::kData);
  CHECK_THAT(error->what(), contains_text("text.onnx"));
  for (const char* name : kPublished) CHECK_THAT(error->what(), contains_text(name));
}

TEST_CASE("Faces are those of OpenCV's FaceDetectorYN", "[face_detector]") {
  const fs::path folder = real_data("detector");
  const std::vector<cv::Mat> images = photos(24);
  if (folder.empty() || images.empty()) return;
  constexpr float kMinScore = 0.3f;
  YuNet ours(folder / kOpenCvs);
  const auto theirs =
      cv::FaceDetectorYN::create((folder / kOpenCvs).string(), "", {320, 320}, kMinScore, 0.3f, 5000);
  int faces = 0;
  for (const cv::Mat& image : images) check_like_opencv(ours, *theirs, image, kMinScore, faces);
  for (const cv::Size size : {cv::Size(640, 360),
                              {641, 359},
                              {333, 517},
                              {97, 131},
                              {1000, 70},
                              {64, 64},
                              {40, 50},
                              {7, 9},
                              {1, 1},
                              {127, 300}}) {
    for (const double scale : {0.4, 1.1})
      check_like_opencv(ours, *theirs, montage(images, size, scale), kMinScore, faces);
  }
  CHECK(faces > 60);
}

TEST_CASE("Both detectors find the same people", "[face_detector]") {
  const fs::path folder = real_data("detector");
  const std::vector<cv::Mat> images = photos(8);
  if (folder.empty() || images.empty()) return;
  for (const cv::Mat& bgr : images) {
    cv::Mat rgb;
    cv::cvtColor(bgr, rgb, cv::COLOR_BGR2RGB);
    const RgbImage image{{rgb.cols, rgb.rows}, {rgb.data, rgb.data + rgb.total() * 3}};
    std::vector<FaceBox> boxes;
    for (const char* name : kPublished) {
      const std::vector<DetectedFace> found = FaceDetector(folder / name, 0.6f, 640).detect(image);
      REQUIRE(!found.empty());
      boxes.push_back(found[0].box);
    }
    CHECK(std::abs(boxes[0][0] + boxes[0][2] - boxes[1][0] - boxes[1][2]) / 2 < 15);
    CHECK(std::abs(boxes[0][1] + boxes[0][3] - boxes[1][1] - boxes[1][3]) / 2 < 15);
  }
}
