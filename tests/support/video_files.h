// Video files for tests: Motion JPEG in AVI, which is built into OpenCV, and what a plain sequential reader
// sees of them.
#pragma once

#include <cstring>
#include <filesystem>
#include <opencv2/imgproc.hpp>
#include <opencv2/videoio.hpp>
#include <vector>

#include "support/catch.h"
#include "uir/base/file.h"
#include "uir/images/decode.h"

// Frames that differ everywhere and drift, so that a wrong frame is far from the right one.
inline cv::Mat drawn_frame(int number, cv::Size size, int seed) {
  cv::Mat frame(size, CV_8UC3);
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      frame.at<cv::Vec3b>(y, x) = {static_cast<uint8_t>((x + 5 * number) % 200 + seed),
                                   static_cast<uint8_t>((y + 11 * number) % 180),
                                   static_cast<uint8_t>((17 * number + x / 4 + y / 4) % 240)};
    }
  }
  return frame;
}

inline void write_video(const std::filesystem::path& path, int frames, cv::Size size = {160, 120},
                        int seed = 0) {
  uir::create_folders(path.parent_path());
  cv::VideoWriter writer(path.string(), cv::CAP_OPENCV_MJPEG, cv::VideoWriter::fourcc('M', 'J', 'P', 'G'), 25,
                         size);
  REQUIRE(writer.isOpened());
  for (int i = 0; i < frames; ++i) writer.write(drawn_frame(i, size, seed));
}

// RGB of every frame, in order.
inline std::vector<cv::Mat> frames_in_order(const std::filesystem::path& path) {
  cv::VideoCapture capture(path.string());
  std::vector<cv::Mat> frames;
  for (cv::Mat frame; capture.read(frame);) {
    frames.emplace_back();
    cv::cvtColor(frame, frames.back(), cv::COLOR_BGR2RGB);
  }
  return frames;
}

inline bool same_pixels(const uir::RgbImage& image, const cv::Mat& frame) {
  return image.size == uir::ImageSize{frame.cols, frame.rows} &&
         std::memcmp(image.pixels.data(), frame.data, image.pixels.size()) == 0;
}

inline uir::RgbImage to_image(const cv::Mat& frame) {
  return {{frame.cols, frame.rows}, {frame.data, frame.data + frame.total() * 3}};
}
