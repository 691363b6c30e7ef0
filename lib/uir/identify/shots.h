// Where shots begin: at cuts, and in the middle of dissolves.
//
// The distance of two frames is the mean difference of their thumbnails' cells, summed over brightness and
// both colours. A cut is a frame whose distance from the one before is at least kLeastChange, and
// kTimesNeighbours the mean of up to two distances before it (in the same shot) and two behind it; not where
// the frame behind is like the one before: a flash. (The rule of PySceneDetect's AdaptiveDetector.) A
// dissolve is seen where frames h before and h behind differ by twice as much, those between are mixtures of
// the two, and the film changes less before and behind. What is decided depends on the frames of the shot
// and those that follow alone, so a film may be continued at any shot.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "uir/video/video_frame.h"

namespace uir {

double thumbnail_distance(const Thumbnail& a, const Thumbnail& b);

struct ShotDecision {
  bool begins = false;  // a shot begins with the frame
  int64_t fade = 0;     // in the middle of a dissolve of 2 · fade frames
};

class ShotDetector {
 public:
  static constexpr double kLeastChange = 9, kTimesNeighbours = 3;
  static constexpr int64_t kAhead = 36;  // frames behind the one that is decided on

  // The first frame begins a shot, with so much of a dissolve.
  explicit ShotDetector(int64_t fade = 0) : quiet_(fade), first_fade_(fade) {}

  // Frames in their order. Tells of the frame kAhead before this one; none for the first ones.
  std::optional<ShotDecision> add(const Thumbnail& thumbnail);
  // The same for the frames that are left, one after the other; none at the end.
  std::optional<ShotDecision> finish();

 private:
  struct Mixture {
    double error = 0;  // share of the difference between both ends
    int64_t half = 0;
  };

  ShotDecision decide();
  bool is_cut() const;
  double motion(int64_t begin) const;
  std::optional<Mixture> mixture_at(int64_t middle) const;
  std::optional<Mixture> mixture_of(int64_t middle, int64_t half) const;
  std::optional<Mixture> dissolve() const;
  bool has(int64_t frame) const { return frame >= 0 && frame < static_cast<int64_t>(frames_.size()); }
  double distance(int64_t a, int64_t b) const { return thumbnail_distance(at(a), at(b)); }
  const Thumbnail& at(int64_t frame) const { return frames_[static_cast<size_t>(frame)]; }

  std::deque<Thumbnail> frames_;
  int64_t at_ = 0;     // the frame in question; all three count in frames_
  int64_t shot_ = 0;   // the first frame of the shot
  int64_t quiet_ = 0;  // the first frame of the shot without a trace of the one before
  int64_t first_fade_;
  bool first_ = true;
};

}  // namespace uir
