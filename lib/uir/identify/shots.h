// Where shots begin: a frame that differs from the one before it much more than its neighbours do from
// theirs.
//
// The distance of two frames is the mean difference of their thumbnails' cells, summed over brightness and
// both colours. A shot begins where that is at least kLeastChange, and kTimesNeighbours the mean of up to
// two distances before it (in the same shot) and two behind it; not where the frame behind is like the one
// before: a flash. What is decided depends on the frames of the shot and the next one alone, so a film may
// be continued at any shot. (The rule of PySceneDetect's AdaptiveDetector, on thumbnails.) Dissolves are no
// cuts: tracks are divided where the face becomes another one (track_vectors.h).
#pragma once

#include <deque>
#include <optional>

#include "uir/video/video_frame.h"

namespace uir {

double thumbnail_distance(const Thumbnail& a, const Thumbnail& b);

class ShotDetector {
 public:
  static constexpr double kLeastChange = 9, kTimesNeighbours = 3;

  // Frames in their order. Tells whether the frame two before this one begins a shot; none for the first two.
  // The very first one does.
  std::optional<bool> add(const Thumbnail& thumbnail);
  // The same for the frames that are left, one after the other; none at the end.
  std::optional<bool> finish();

 private:
  static constexpr size_t kAhead = 2;
  bool begins_shot() const;
  bool decide();

  std::deque<Thumbnail> frames_;      // the one before the frame in question, that frame, those behind it
  std::deque<double> before_;         // distances inside the shot, at most two
  std::optional<Thumbnail> earlier_;  // the frame before the one before, of the same shot
  bool first_ = true;                 // the frame in question is the film's first
};

}  // namespace uir
