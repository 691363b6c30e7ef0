// Who appears when in a film, or on which photos: the one struct that analysis (identify/) fills, that
// corrections change, and that every output is a function of.
//
// Times are whole ticks from the container's start, 1 / film.ticks_per_second each; intervals are half-open.
// Boxes are in pixels of the picture as shown (turned, square pixels), x1, y1, x2, y2. Photos are a film
// without time: photo i is the tick i, ticks_per_second is 1, every track lasts one tick, and there are no
// shots.
// The file timeline.json holds all of it but the vectors, which lie beside it in vectors.f32.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "uir/base/file.h"
#include "uir/base/json.h"

namespace uir {

struct Span {
  int64_t begin = 0, end = 0;  // [begin, end) in ticks
  int64_t length() const { return end - begin; }
  bool operator==(const Span&) const = default;
};

struct Film {
  std::string file;  // its name, without folders; of photos the folder's
  uint64_t bytes = 0;
  std::string checksum;  // of the file; of photos of their names and bytes
  int64_t ticks_per_second = 1;
  Span shown;  // from the first frame to the end of the last one
  int64_t width = 0, height = 0;  // of the first frame
  int64_t frames = 0, lost = 0;
  // Frames per second by the distances of the frames, not by what the file announces; 30000/1001 and the
  // like. All distances alike: constant.
  int64_t rate_num = 0, rate_den = 1;
  bool constant_rate = false;
};

// Known: named, by score or by hand. Unsure: between the two thresholds. Stranger: nobody of the gallery.
// Too small: no face of the track is large and clear enough to tell.
enum class Verdict { kKnown, kUnsure, kStranger, kTooSmall };

struct Candidate {
  std::string person;
  double score = 0;  // of the track's vector and the person's
};

// A face that was detected, at one frame.
struct Sight {
  int64_t ticks = 0;
  std::array<float, 4> box{};
};

// One of the best faces of a track, whose embedding counts.
struct TrackFace {
  int64_t ticks = 0;
  double weight = 0;  // of its embedding in the track's mean
  int64_t vector = 0;  // row of vectors.f32
};

// One face through consecutive frames of one shot.
struct Track {
  int64_t id = 0;  // 1, 2 … by their begin
  Span time;
  int64_t shot = 0;            // place in Timeline::shots
  std::vector<Sight> sights;   // ascending; between two of them boxes are interpolated
  std::vector<TrackFace> faces;
  std::string picture;  // of the best face, below the timeline's folder; empty: none

  // What analysis found.
  Verdict verdict = Verdict::kTooSmall;
  std::vector<Candidate> candidates;  // best first, at most three
  int64_t stranger = 0;               // number of the stranger's group, 1 …; 0: in none
  // What is shown, after corrections; of analysis alone the person of kKnown is the first candidate.
  std::string person;    // of kKnown
  bool by_hand = false;  // a correction decided
};

struct GalleryPerson {
  std::string name;
  int64_t photos = 0;
};

struct TimelineThresholds {
  double known = 0;   // named from this score on
  double unsure = 0;  // below: a stranger
  double same_stranger = 0;  // two groups of strangers are one from this mean score on
  double smallest_face = 0;  // shorter side [pixels] below which a face does not count
  std::string because;       // where they come from, for people
};

struct Timeline {
  Film film;
  std::vector<std::string> photos;  // names below the folder; empty: a film
  std::vector<Span> shots;          // adjoining, over film.shown
  std::vector<GalleryPerson> people;
  std::vector<Track> tracks;
  TimelineThresholds thresholds;
  Json made_by;  // versions, model, detector, options: what a run that continues must have again
  bool is_film() const { return photos.empty(); }
};

// {"format": "uir-timeline", "version": 1, …}; docs/timeline.md
Json to_json(const Timeline& timeline);
// kData, naming file and place, for what is none.
Timeline read_timeline(const fs::path& folder);

// "Anna", "stranger 3", "?" (unsure, too small, or a stranger in no group).
std::string shown_name(const Track& track);

}  // namespace uir
