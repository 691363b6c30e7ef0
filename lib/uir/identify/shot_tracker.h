// Faces of the sampled frames of one shot become tracks: one face each, through time.
//
// A face goes on where a track is expected: the box moved on as it moved before, by overlap or, where there
// is none, by distance; the assignment is the cheapest one (assignment.h). Where two tracks could go on with
// either of two faces (they cross), the faces' likeness decides. What is left of tracks and faces then may be
// people who move by more than their size between two samples: of these the like go together. A track that
// finds no face may find one within kLongestGap; between them it was hidden.
// Threads: one. Errors: those of the embedder.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "uir/identify/embed_faces.h"
#include "uir/timeline/timeline.h"

namespace uir {

struct Sighting {
  int64_t ticks = 0;
  FilmFace face;
  std::vector<float> embedding;  // empty: not needed so far
};

// From the first frame where a face was not found any more to the one where it was found again, as exactly as
// it was looked at so far.
struct Absence {
  Span time;
  bool is_over = false;
};

struct FaceTrack {
  std::vector<Sighting> sightings;  // ascending
  // From the first frame where it was found to the end of the last one.
  Span time;
  std::vector<Absence> absences;

  // Once all is known: the last absence, if it is not over, ends the track.
  void close();
};

// A track that began, was lost or came back somewhere between two samples.
struct TrackEdge {
  std::shared_ptr<FaceTrack> track;
  bool begins = false;            // else it ends
  std::optional<size_t> absence;  // of the track, that it ends or begins; none: the track itself begins
  // Where it is expected in those frames: at the frame `ticks` here, moving by so much per tick.
  FaceBox box{};
  int64_t ticks = 0;
  std::array<float, 2> motion{};

  bool is_seen_among(const std::vector<FilmFace>& faces, int64_t at) const;
};

class ShotTracker {
 public:
  ShotTracker(int64_t ticks_per_second, const FaceEmbedder& embedder)
      : ticks_per_second_(ticks_per_second), embedder_(&embedder) {}

  // The faces of the next sample; `next` is the time of the frame behind it. edges: of tracks that began or
  // ended since the sample before, but for the shot's own first and last frame.
  void add(int64_t ticks, int64_t next, bool begins_shot, bool ends_shot, std::vector<FilmFace> faces,
           std::vector<TrackEdge>& edges);
  // All tracks of the shot, once its last sample was added.
  std::vector<std::shared_ptr<FaceTrack>> take_tracks() { return std::move(all_); }

 private:
  static constexpr double kLongestGap = 1;  // seconds
  struct Live {
    std::shared_ptr<FaceTrack> track;
    bool seen = true;  // in the sample before
  };

  std::vector<size_t> assign(int64_t ticks, std::vector<Sighting>& faces);
  void tell_crossing_apart(std::vector<double>& costs, std::vector<Sighting>& faces);
  void assign_fast(int64_t ticks, std::vector<Sighting>& faces, std::vector<size_t>& column_of);
  const std::vector<float>& embedding_of(Sighting& sighting);

  int64_t ticks_per_second_;
  const FaceEmbedder* embedder_;
  std::vector<Live> live_;
  std::vector<std::shared_ptr<FaceTrack>> all_;
};

}  // namespace uir
