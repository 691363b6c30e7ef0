#include "uir/images/video_file.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/core/version.hpp>
#include <opencv2/imgproc.hpp>
#include <opencv2/videoio.hpp>
#include <string>
#include <vector>

#include "uir/base/error.h"
#include "uir/images/image_folder.h"

namespace uir {
namespace {

// Named back ends, never "any": others take a name for a pattern of image files or for a pipeline.
bool open_capture(const fs::path& path, cv::VideoCapture& capture) {
  std::vector<int> settings{cv::CAP_PROP_HW_ACCELERATION, cv::VIDEO_ACCELERATION_NONE};
#if CV_VERSION_MAJOR > 4 || CV_VERSION_MINOR >= 10
  settings.insert(settings.end(), {cv::CAP_PROP_N_THREADS, 1});  // many videos are read side by side
#endif
  return capture.open(path.string(), cv::CAP_FFMPEG, settings) ||
         capture.open(path.string(), cv::CAP_OPENCV_MJPEG);
}

int64_t whole_property(const cv::VideoCapture& capture, cv::VideoCaptureProperties property) {
  const double value = capture.get(property);
  return std::isfinite(value) && value > 0 && value < 0x1p40 ? static_cast<int64_t>(value) : 0;
}

}  // namespace

struct VideoReader::Impl {
  explicit Impl(const fs::path& file) : path(file) { open(); }

  void open() {
    if (!fs::is_regular_file(path)) fail(ErrorKind::kMissingInput, path.string(), ": cannot open video");
    if (!open_capture(path, capture)) {
      fail(ErrorKind::kData, path.string(),
           ": no video, damaged, or of a codec that this OpenCV cannot decode");
    }
    const int64_t width = whole_property(capture, cv::CAP_PROP_FRAME_WIDTH),
                  height = whole_property(capture, cv::CAP_PROP_FRAME_HEIGHT);
    if (width < 1 || height < 1 || width > kMaxImageSide || height > kMaxImageSide ||
        width * height > kMaxImagePixels) {
      fail(ErrorKind::kData, path.string(), ": frames of ", width, "x", height, " pixels");
    }
    size = {static_cast<int>(width), static_cast<int>(height)};
    grabbed = position = -1;
  }

  // Decodes the next frame; false at the end.
  bool grab() {
    if (!capture.grab()) return false;
    ++grabbed;
    return true;
  }

  const RgbImage& frame(int64_t number) {
    if (number == position) return image;
    if (number <= grabbed) open();
    while (grabbed < number) {
      if (!grab()) {
        fail(ErrorKind::kData, path.string(), ": ends after ", grabbed + 1, " frames; there is no frame ",
             number, " (counted from 0)");
      }
    }
    retrieve();
    return image;
  }

  void retrieve() {
    if (!capture.retrieve(bgr) || bgr.type() != CV_8UC3) {
      fail(ErrorKind::kData, path.string(), ": frame ", grabbed, " cannot be decoded to 8-bit colours");
    }
    image.size = {bgr.cols, bgr.rows};
    image.pixels.resize(image.size.num_bytes());
    cv::Mat rgb(bgr.rows, bgr.cols, CV_8UC3, image.pixels.data());
    cv::cvtColor(bgr, rgb, cv::COLOR_BGR2RGB);
    position = grabbed;
  }

  fs::path path;
  cv::VideoCapture capture;
  cv::Mat bgr;
  RgbImage image;
  ImageSize size;
  int64_t grabbed = -1, position = -1;  // last frame decoded; last one given out
};

VideoReader::VideoReader(const fs::path& path) : impl_(std::make_unique<Impl>(path)) {}
VideoReader::~VideoReader() = default;
const RgbImage& VideoReader::frame(int64_t number) { return impl_->frame(number); }
int64_t VideoReader::position() const { return impl_->position; }
ImageSize VideoReader::size() const { return impl_->size; }

double VideoReader::frames_per_second() const {
  const double rate = impl_->capture.get(cv::CAP_PROP_FPS);
  return std::isfinite(rate) && rate > 0 ? rate : 0;
}

int64_t VideoReader::announced_frames() const {
  return whole_property(impl_->capture, cv::CAP_PROP_FRAME_COUNT);
}

int64_t VideoReader::count_frames() {
  while (impl_->grab()) {
  }
  return impl_->grabbed + 1;
}

}  // namespace uir
