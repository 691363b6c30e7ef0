// Which frames of a video are taken: a function of the frames' times and numbers alone (docs/formats.md,
// "Video files").
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "uir/video/video_reader.h"

namespace uir {

struct FrameSampling {
  int64_t every = 1;
  double frames_per_second = 0;  // 0: no limit
  int64_t max_frames = 0;        // 0: no limit
};

class FrameChoice {
 public:
  // The frames, all of the video's, must outlive this.
  FrameChoice(const FrameSampling& sampling, int64_t ticks_per_second, std::span<const FrameFacts> frames)
      : sampling_(sampling), ticks_per_second_(static_cast<double>(ticks_per_second)), frames_(frames) {}

  // Of the frames whose number divides by `every`, the first one of its period.
  bool takes(int64_t frame) const {
    return frame % sampling_.every == 0 && (frame == 0 || period(frame) > period(frame - sampling_.every));
  }

  // At most max_frames of the (distinct) frames, evenly spread, the first among them.
  std::vector<int64_t> thin(std::vector<int64_t> frames) const {
    const auto most = static_cast<size_t>(sampling_.max_frames);
    if (most == 0 || frames.size() <= most) return frames;
    std::vector<int64_t> thinned;
    for (size_t i = 0; i < most; ++i) thinned.push_back(frames[i * frames.size() / most]);
    return thinned;
  }

 private:
  // A quotient of whole numbers below 2^53 is a whole number exactly when it divides.
  double period(int64_t frame) const {
    if (sampling_.frames_per_second == 0) return static_cast<double>(frame);
    const auto ticks = static_cast<double>(frames_[static_cast<size_t>(frame)].ticks);
    return std::floor(ticks * sampling_.frames_per_second / ticks_per_second_);
  }

  FrameSampling sampling_;
  double ticks_per_second_;
  std::span<const FrameFacts> frames_;
};

}  // namespace uir
