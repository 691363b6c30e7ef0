// Video files for tests, made with libavformat and libavcodec, and what is drawn in them.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "uir/images/decode.h"

struct AVFrame;

// Frames that differ everywhere and drift, so that a wrong frame is far from the right one. BGR.
cv::Mat drawn_frame(int number, cv::Size size, int seed = 0);

struct VideoRecipe {
  std::string codec = "mjpeg";                 // an encoder of libavcodec
  std::map<std::string, std::string> options;  // of the encoder
  std::string pixel_format = "yuvj420p";
  std::string container;  // empty: by the file's name
  std::map<std::string, std::string> container_options;
  std::array<int, 2> time_base{1, 25};
  std::vector<int64_t> stamps;  // of the frames; empty: 0, 1, 2 …
  std::array<int, 2> aspect{0, 1};
  std::array<int, 4> matrix{1, 0, 0, 1};  // (x, y) is shown at (a x + c y, b x + d y)
  int color_space = 2;                    // AVCOL_SPC_…; 2: no tag
  bool full_range = false;                // tagged so
  double sound_seconds = 0, sound_start = 0;
  bool pictures = true, cover = false;
  bool to_pipe = false;  // written without going back
  // Fills the planes of frame `number`; empty: drawn_frame.
  std::function<void(AVFrame& frame, int number)> paint;
  std::function<cv::Size(int number)> size_at;  // empty: all of one size
};

bool has_encoder(const std::string& name);
void write_video(const std::filesystem::path& path, const VideoRecipe& recipe, int frames,
                 cv::Size size = {160, 120});
// Motion JPEG in AVI at 25 frames a second.
void write_video(const std::filesystem::path& path, int frames, cv::Size size = {160, 120}, int seed = 0);
void write_video(const std::filesystem::path& path, const std::vector<cv::Mat>& frames);

// RGB of every frame as VideoReader gives them from front to back.
std::vector<cv::Mat> frames_in_order(const std::filesystem::path& path);

bool same_pixels(const uir::RgbImage& image, const cv::Mat& frame);
uir::RgbImage to_image(const cv::Mat& frame);
// Mean absolute difference of an RGB picture from a BGR one of the same size; 255 for other sizes.
double distance(const uir::RgbImage& image, const cv::Mat& bgr);
