// Which frames of a video are taken: a function of the frame's number alone (docs/formats.md, "Video files").
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "uir/data/config.h"

namespace uir {

class FrameChoice {
 public:
  FrameChoice(const VideosSource& config, double frames_per_second)
      : every_(config.every), share_(1), max_frames_(static_cast<size_t>(config.max_frames)) {
    if (config.frames_per_second > 0 && frames_per_second > 0)
      share_ = std::min(1.0, config.frames_per_second / frames_per_second);
  }

  // Frame n is the first one of its period of 1 / share frames.
  bool takes(int64_t frame) const {
    const bool first = frame == 0 || period(frame) > period(frame - 1);
    return frame % every_ == 0 && first;
  }

  // At most max_frames of the (distinct) frames, evenly spread, the first among them.
  std::vector<int64_t> thin(std::vector<int64_t> frames) const {
    if (max_frames_ == 0 || frames.size() <= max_frames_) return frames;
    std::vector<int64_t> thinned;
    for (size_t i = 0; i < max_frames_; ++i) thinned.push_back(frames[i * frames.size() / max_frames_]);
    return thinned;
  }

 private:
  int64_t period(int64_t frame) const { return static_cast<int64_t>(static_cast<double>(frame) * share_); }

  int64_t every_;
  double share_;
  size_t max_frames_;
};

}  // namespace uir
