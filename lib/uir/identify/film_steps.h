// A film as steps from one sampled frame to the next: the frames that are looked at, and those between, kept
// in case a face comes or goes there.
//
// Sampled are the first and the last frame of every shot, and inside of it the first frame of every 1 / rate
// second since its beginning. Decoding runs on a thread of its own, a batch ahead.
// Errors: those of VideoReader, kData for a film without frames, from next(). Threads: one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "uir/identify/shots.h"
#include "uir/timeline/timeline.h"
#include "uir/video/video_reader.h"

namespace uir {

// Where a shot begins, and what has to be known to go on there.
struct ShotStart {
  int64_t ticks = 0;
  int64_t lost = 0;  // frames of the film that could not be decoded, up to there
  // Of a dissolve in whose middle it begins, as much as lies behind: in frames and in ticks.
  int64_t fade_frames = 0, fade = 0;
};

struct FilmStep {
  std::vector<VideoFrame> between;  // behind the sample before, of the same shot
  VideoFrame sample;
  bool begins_shot = false, ends_shot = false;
  int64_t fade_in = 0;  // of a dissolve in whose middle the shot begins, what lies inside of it [ticks]
  // The frame behind the sample: of ends_shot the next shot; of the film's last one its end.
  ShotStart following;
};

class StepMaker {
 public:
  // fade: of the first shot.
  StepMaker(int64_t ticks_per_second, double rate, int64_t fade)
      : ticks_per_second_(ticks_per_second), rate_(rate), fade_in_(fade) {}

  // Frames in order, and whether a shot begins there. Gives the step that ends at the frame before, if it is
  // a sample.
  std::optional<FilmStep> add(VideoFrame frame, int64_t lost, const ShotDecision& shot);
  std::optional<FilmStep> finish();

 private:
  std::optional<FilmStep> settle(const ShotStart& next, bool ends_shot);
  int64_t period_of(int64_t ticks) const;

  int64_t ticks_per_second_;
  double rate_;
  int64_t fade_in_;
  VideoFrame frame_;  // not settled yet
  int64_t lost_ = 0;
  bool begins_ = false;
  int64_t shot_begin_ = 0, last_period_ = 0, last_distance_ = 1;
  std::vector<VideoFrame> between_;
};

class FilmSteps {
 public:
  // from: the shot to begin with; none: the first one. rate: samples a second.
  FilmSteps(const fs::path& path, double rate, std::optional<ShotStart> from = std::nullopt);
  ~FilmSteps();

  // The next steps, as many as memory for their frames allows; none at the end.
  std::optional<std::vector<FilmStep>> next();
  // Of the whole film, once next() gave none.
  int64_t lost() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace uir
