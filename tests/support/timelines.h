// Timelines made up for tests: any number of tracks in a film of shots, from a seed.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "uir/timeline/timeline.h"

// A small stream of random numbers.
class Dice {
 public:
  explicit Dice(uint64_t seed) : state_(seed * 2862933555777941757ULL + 3037000493ULL) {}
  int64_t below(int64_t bound) {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return static_cast<int64_t>((state_ >> 11) % static_cast<uint64_t>(bound));
  }
  int64_t between(int64_t low, int64_t high) { return low + below(high - low + 1); }

 private:
  uint64_t state_;
};

struct MadeUp {
  int64_t seconds = 120, shots = 20, tracks = 30, sights = 6, ticks_per_second = 1000;
};

// People Anna, Ben and Cleo, strangers 1 to 4, and tracks of all verdicts; faces stand apart from each other
// as long as at most eight are there at a time.
inline uir::Timeline made_up_timeline(uint64_t seed, const MadeUp& size = {}) {
  Dice dice(seed + 1);
  uir::Timeline t;
  t.film = {.file = "film.mkv",
            .path = "../film.mkv",
            .bytes = 123456,
            .checksum = "00ff00ff00ff00ff",
            .ticks_per_second = size.ticks_per_second,
            .container_start = 0,
            .shown = {0, size.seconds * size.ticks_per_second},
            .width = 1280,
            .height = 720,
            .frames = size.seconds * 25,
            .lost = 0,
            .rate_num = 25,
            .rate_den = 1,
            .constant_rate = true};
  t.people = {{"Anna", 3}, {"Ben", 1}, {"Cleo", 20}};
  t.thresholds = {.known = .5, .unsure = .4, .same_person = .45, .smallest_face = 24, .because = "default"};
  t.made_by = {{"program", "test"}};
  t.vector_size = 8;
  for (int64_t i = 0; i < size.shots; ++i)
    t.shots.push_back({t.film.shown.end * i / size.shots, t.film.shown.end * (i + 1) / size.shots});
  std::vector<uir::Track> tracks;
  for (int64_t i = 0; i < size.tracks; ++i) {
    uir::Track track;
    track.shot = dice.below(size.shots);
    const uir::Span shot = t.shots[static_cast<size_t>(track.shot)];
    const int64_t length = dice.between(shot.length() / 8, shot.length() / 2);
    track.time.begin = shot.begin + dice.below(shot.length() - length);
    track.time.end = track.time.begin + length;
    const auto place = static_cast<float>(i % 8 * 150);
    for (int64_t k = 0; k < size.sights; ++k) {
      const float wander = static_cast<float>(dice.below(80)) / 10.F;
      track.sights.push_back({track.time.begin + length * k / size.sights,
                              {place + wander, 100 + wander, place + 100 + wander, 220 + wander}});
      if (k % 3 == 0)
        track.faces.push_back(
            {track.sights.back().ticks, .25 + static_cast<double>(k) / 64, i * size.sights + k});
    }
    if (i % 3 == 0) track.hidden = {{track.time.begin + length / 4, track.time.begin + length / 3}};
    track.verdict = static_cast<uir::Verdict>(dice.below(4));
    track.candidates = {
        {t.people[static_cast<size_t>(dice.below(3))].name, .5 + static_cast<double>(dice.below(100)) / 256}};
    if (track.verdict == uir::Verdict::kKnown) track.person = track.candidates[0].person;
    if (track.verdict == uir::Verdict::kStranger) track.stranger = dice.between(0, 4);
    track.picture = uir::concat("faces/", i, ".jpg");
    tracks.push_back(track);
  }
  std::stable_sort(tracks.begin(), tracks.end(),
                   [](const auto& a, const auto& b) { return a.time.begin < b.time.begin; });
  for (size_t i = 0; i < tracks.size(); ++i) tracks[i].id = static_cast<int64_t>(i) + 1;
  t.tracks = std::move(tracks);
  return t;
}

// Names that mean something to one of the formats.
inline std::vector<std::string> wicked_names() {
  return {"A --> B",
          "O'Neil, \"Kit\"",
          "a|b=c;d#e\\f",
          "AC/DC",
          "ac/dc",
          "<v Bob>&amp;",
          "%5%abc,1,2",
          "..",
          "con",
          "Zoë ☺",
          "* FROM CLIP NAME: x",
          "two\nlines",
          "\xe7\x61 latin",
          "tab\there",
          "NOTE",
          "'quoted'",
          "-rf"};
}
