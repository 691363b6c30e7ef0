// A film becomes shots with the tracks of the faces in them: decoding, shots, detection at a cadence, denser
// where a face comes or goes, tracks.
//
// A track's time is exact to a frame where it begins or ends with its shot, and elsewhere as the detector has
// it: the first and last frame in which it finds the face.
// Results do not depend on the number of threads, nor on the shot that an interrupted run goes on with.
// Cost: every frame is decoded, one in five (at 25 a second) looked at. Memory: two batches of frames
// (film_steps.h), the tracks of one shot with 37 KB a sighting.
// Errors: those of VideoReader, FaceFinder, the embedder and the sink. Threads: one.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "uir/identify/film_steps.h"
#include "uir/identify/shot_tracker.h"

namespace uir {

struct AnalyzedShot {
  Span time;
  int64_t fade_in = 0;  // of a dissolve in whose middle it begins, what lies inside of it [ticks]
  ShotStart following;
  int64_t frames = 0;
  int64_t width = 0, height = 0;
  std::vector<std::pair<int64_t, int64_t>> distances;  // of frames [ticks], and how many; the commonest few
  std::vector<std::shared_ptr<FaceTrack>> tracks;      // by their begin
};

class FilmAnalysis {
 public:
  // rate: looked at so many times a second. The embedder must outlive this.
  FilmAnalysis(const fs::path& film, double rate, FindFaces find, const FaceEmbedder& embedder);
  ~FilmAnalysis();

  int64_t ticks_per_second() const;
  int64_t container_start() const;
  int64_t announced_ticks() const;  // for progress only; 0: unknown
  // Every shot, in order; from: the first one that is wanted. looked_at: called often, with the time that was
  // come to [ticks]; what it throws ends the run. Given back: the frames lost in the whole film.
  int64_t run(const std::optional<ShotStart>& from, const std::function<void(int64_t)>& looked_at,
              const std::function<void(AnalyzedShot)>& sink);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace uir
