// Who appears when in a film, or on which photos: the one struct that analysis (identify/) fills, that
// corrections change, and that every output is a function of.
//
// Times are whole ticks from the container's start, 1 / film.ticks_per_second each; intervals are half-open.
// Boxes are in pixels of the picture as shown (turned, square pixels), x1, y1, x2, y2. Photos are a film
// without time: photo i is the tick i, ticks_per_second is 1, every track lasts one tick, and there are no
// shots.
// The file timeline.json holds all of it but the vectors, which lie beside it in vectors.f32 (rows of
// vector_size float32).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "uir/base/file.h"
#include "uir/base/json.h"

namespace uir {

struct Span {
  int64_t begin = 0, end = 0;  // [begin, end) in ticks
  int64_t length() const { return end - begin; }
  bool contains(int64_t ticks) const { return begin <= ticks && ticks < end; }
  bool operator==(const Span&) const = default;
};

struct Film {
  std::string file;  // its name, without folders; of photos the folder's
  std::string path;  // as bytes, relative to the timeline's folder, or absolute; empty: "../" + file
  uint64_t bytes = 0;
  std::string checksum;  // of its first and last MiB; of photos of their names and sizes
  int64_t ticks_per_second = 1;
  // What the container says of its start: players that do not count from there (mpv) are given it on top.
  int64_t container_start = 0;
  Span shown;                     // from the first frame to the end of the last one
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
  double weight = 0;   // of its embedding in the track's mean
  int64_t vector = 0;  // row of vectors.f32
};

// What analysis made of a track, where a correction decided otherwise.
struct Found {
  Verdict verdict = Verdict::kTooSmall;
  std::string person;
  int64_t stranger = 0;
};

// One face through consecutive frames of one shot.
struct Track {
  int64_t id = 0;  // 1, 2 … by their begin; later parts of a track that was cut in two follow behind all
  Span time;
  std::vector<Span> hidden;   // within `time`, ascending and apart: turned away, or behind something
  int64_t shot = 0;           // place in Timeline::shots
  std::vector<Sight> sights;  // ascending; between two of them boxes are interpolated
  std::vector<TrackFace> faces;
  std::string picture;  // of the best face, below the timeline's folder; empty: none

  // What is shown. Analysis fills it in; corrections change it, and leave in `found` what was there.
  Verdict verdict = Verdict::kTooSmall;
  std::string person;                 // of kKnown, and of nobody else; of analysis the first candidate
  int64_t stranger = 0;               // of kStranger: number of the group, 1 …; 0: in none
  std::vector<Candidate> candidates;  // best first, at most three; no correction changes them
  bool by_hand = false;               // a correction decided
  std::optional<Found> found;         // of by_hand
  int64_t part_of = 0;                // a correction cut the track of this id, which is in Timeline::uncut
};

struct GalleryPerson {
  std::string name;
  int64_t photos = 0;
};

struct TimelineThresholds {
  double known = 0;          // named from this score on
  double unsure = 0;         // below: a stranger
  double same_person = 0;    // two groups of tracks are one person from this mean score on
  double smallest_face = 0;  // shorter side [pixels] below which a face does not count
  std::string because;       // where they come from, for people
};

struct Timeline {
  Film film;
  std::vector<std::string> photos;  // names below the folder; empty: a film
  std::vector<Span> shots;          // adjoining, over film.shown
  std::vector<GalleryPerson> people;
  std::vector<Track> tracks;  // ascending ids
  std::vector<Track> uncut;   // as they were before a correction cut them: their parts are in tracks
  int64_t vector_size = 0;    // numbers a row of vectors.f32
  TimelineThresholds thresholds;
  Json made_by;  // versions, model, detector, options: what a run that continues must have again
  bool is_film() const { return photos.empty(); }
};

// The text of timeline.json (docs/timeline.md): one track a line, boxes rounded to tenths of a pixel. Names
// must be clean (names.h). The same timeline gives the same bytes.
std::string timeline_text(const Timeline& timeline);
// The same as a document: five times as slow.
Json to_json(const Timeline& timeline);
// Reads FOLDER/timeline.json; 0.1 s for a film of two hours. kMissingInput; kData, naming file and place, for
// what is no timeline, or one that contradicts itself.
Timeline read_timeline(const fs::path& folder);
Timeline parse_timeline(std::string_view text, const std::string& place);

const char* verdict_name(Verdict verdict);  // known, unsure, stranger, too small

// "Anna", "stranger 3", "?" (unsure, too small, or a stranger in no group).
std::string shown_name(const Track& track);
std::string stranger_name(int64_t number);

// Everybody under a label, one of shown_name() but "?".
class Label {
 public:
  explicit Label(const std::string& text);
  bool fits(const Track& track) const;

 private:
  std::string person_;
  int64_t stranger_ = 0;  // 0: the label is none of a stranger
};

// When it is to be seen: its time without what is hidden.
std::vector<Span> seen_spans(const Track& track);
bool is_seen_at(const Track& track, int64_t ticks);
// Of a part of a track: what is hidden outside of its time and at its ends does not belong to it.
void cut_off_hidden(Span& time, std::vector<Span>& hidden);

// The box of a track at a time: between two sights interpolated, before and after them the nearest one's; all
// zero without sights.
std::array<float, 4> box_at(const Track& track, int64_t ticks);

// The folder that is meant by a timeline's folder, its timeline.json, or its film; the path itself if none.
fs::path timeline_folder(const fs::path& path);

// Where the film lies: Film::path, seen from where the timeline's folder is.
fs::path film_path(const Film& film, const fs::path& folder);

}  // namespace uir
