// Reading video: every frame as RGB against the ffmpeg program, and one frame a second against OpenCV's
// grab loop.
//
//   bench_video FILE [rounds [threads]]
//
// Each round times, one after the other so that all see the same machine,
//   every frame:      VideoReader with `threads` (2) threads, each frame converted;
//                     ffmpeg -threads 2 -i FILE -pix_fmt bgr24 -f null -   (if the program is there)
//   a frame a second: VideoReader, seeking from second to second, and the container's list first;
//                     cv::VideoCapture, grabbing every frame and retrieving the first of each second by
//                     the announced rate, as it was done before (if OpenCV has videoio).
// Ratios of a round are theirs / ours; the median over the rounds is what counts (targets 0.95, and 3 with
// a key picture a second, 1.5 with one in 250 frames).
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "timing.h"
#include "uir/base/error.h"
#include "uir/base/json.h"
#include "uir/video/video_reader.h"
#ifdef UIR_HAVE_VIDEOIO
#include <opencv2/videoio.hpp>
#endif

namespace uir {
namespace {

// So that no conversion is left out.
uint64_t checked = 0;

int64_t read_every_frame(const fs::path& path, int threads) {
  VideoReader reader(path, threads);
  int64_t frames = 0;
  for (; reader.next(); ++frames) checked += reader.picture().pixels.back();
  return frames;
}

int64_t read_every_second(const fs::path& path, int threads) {
  VideoReader reader(path, threads);
  int64_t frames = 0;
  for (int64_t ticks = 0; reader.seek(ticks); ++frames) {
    checked += reader.picture().pixels.back();
    const int64_t rate = reader.ticks_per_second();
    ticks = (reader.facts().ticks / rate + 1) * rate;
  }
  return frames;
}

double seconds_of_ffmpeg(const fs::path& path) {
  const std::string command =
      concat("ffmpeg -nostdin -v error -threads 2 -i 'file:", path.string(), "' -pix_fmt bgr24 -f null -");
  const Cost cost = cost_of([&] {
    if (std::system(command.c_str()) != 0) fail(ErrorKind::kIo, "failed: ", command);
  });
  return cost.seconds;
}

#ifdef UIR_HAVE_VIDEOIO
int64_t grab_every_second(const fs::path& path) {
  cv::VideoCapture capture(path.string(), cv::CAP_FFMPEG);
  const double rate = capture.get(cv::CAP_PROP_FPS);
  int64_t taken = 0;
  cv::Mat frame;
  for (int64_t n = 0; capture.grab(); ++n) {
    if (n > 0 && std::floor(static_cast<double>(n) / rate) <= std::floor(static_cast<double>(n - 1) / rate))
      continue;
    capture.retrieve(frame);
    checked += *frame.ptr();
    ++taken;
  }
  return taken;
}
#endif

Json measure(const fs::path& path, int rounds, int threads) {
  std::vector<double> every, second, ffmpeg, grab;
  int64_t frames = 0, seconds = 0;
  const bool has_ffmpeg = std::system("ffmpeg -version >/dev/null 2>&1") == 0;
  for (int round = 0; round < rounds; ++round) {
    every.push_back(cost_of([&] { frames = read_every_frame(path, threads); }).seconds);
    if (has_ffmpeg) ffmpeg.push_back(seconds_of_ffmpeg(path) / every.back());
    second.push_back(cost_of([&] { seconds = read_every_second(path, threads); }).seconds);
#ifdef UIR_HAVE_VIDEOIO
    grab.push_back(cost_of([&] { grab_every_second(path); }).seconds / second.back());
#endif
  }
  Json report{{"file", path.string()},
              {"frames", frames},
              {"seconds", seconds},
              {"threads", threads},
              {"every_frame_s", median(every)},
              {"every_second_s", median(second)}};
  if (!ffmpeg.empty()) report["ffmpeg_ratio"] = median(ffmpeg);
  if (!grab.empty()) report["grab_ratio"] = median(grab);
  return report;
}

}  // namespace
}  // namespace uir

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "bench_video FILE [rounds [threads]]\n";
    return 64;
  }
  try {
    std::cout
        << uir::measure(argv[1], argc > 2 ? std::atoi(argv[2]) : 5, argc > 3 ? std::atoi(argv[3]) : 2).dump(2)
        << "\n";
    return uir::checked == 0;  // never
  } catch (const std::exception& error) {
    std::cerr << "bench_video: " << error.what() << "\n";
    return 1;
  }
}
