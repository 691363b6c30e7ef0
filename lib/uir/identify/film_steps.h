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

struct FilmStep {
  std::vector<VideoFrame> between;  // behind the sample before, of the same shot
  VideoFrame sample;
  int64_t next = 0;  // when the frame behind the sample begins; of the last one: when it ends
  bool begins_shot = false, ends_shot = false;
  int64_t lost = 0;  // frames that could not be decoded, up to the sample
};

class StepMaker {
 public:
  StepMaker(int64_t ticks_per_second, double rate) : ticks_per_second_(ticks_per_second), rate_(rate) {}

  // Frames in order, and whether a shot begins there. Gives the step that ends at the frame before, if it is
  // a sample.
  std::optional<FilmStep> add(VideoFrame frame, int64_t lost, bool begins_shot);
  std::optional<FilmStep> finish();

 private:
  std::optional<FilmStep> settle(int64_t next, bool ends_shot);
  int64_t period_of(int64_t ticks) const;

  int64_t ticks_per_second_;
  double rate_;
  VideoFrame frame_;  // not settled yet
  int64_t lost_ = 0;
  bool begins_ = false;
  int64_t shot_begin_ = 0, last_period_ = 0, last_distance_ = 1;
  std::vector<VideoFrame> between_;
};

class FilmSteps {
 public:
  // from: the first frame's time of a shot, to go on there; none: from the front. rate: samples a second.
  // lost: frames that could not be decoded before that.
  FilmSteps(const fs::path& path, double rate, std::optional<int64_t> from = std::nullopt, int64_t lost = 0);
  ~FilmSteps();

  int64_t ticks_per_second() const;
  // The next steps, as many as memory for their frames allows; none at the end.
  std::optional<std::vector<FilmStep>> next();
  // Of the whole film, once next() gave none.
  int64_t lost() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace uir
