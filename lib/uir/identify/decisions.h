// Who is in a track: somebody of the gallery, nobody of it, or not to be told.
//
// A track's score with a person is the cosine of their vectors. From `known` on it has the person's name,
// below `unsure` it is a stranger, between them unsure; too small where its largest face is. Tracks that are
// seen at one time are different people: the name goes to the track with the highest score first, and one
// that overlaps it in time gets its next candidate, or is unsure. Strangers are grouped (stranger_groups.h).
// Overlaps of less than kLongestOverlap of the shorter track do not count: they are errors of tracking.
// Cost: tracks · people products. Threads: thread-safe. Errors: none.
#pragma once

#include <span>
#include <vector>

#include "uir/timeline/timeline.h"

namespace uir {

// Tracks of one film with their vectors, of length 1 [tracks, dim]; people likewise.
struct PeopleVectors {
  std::vector<std::string> names;
  std::vector<float> vectors;
};

// Sets verdict, candidates and person. largest: of each track the shorter side of its largest box [pixels].
void decide_tracks(std::vector<Track>& tracks, std::span<const float> vectors,
                   std::span<const double> largest, const PeopleVectors& people, int64_t dim,
                   const TimelineThresholds& thresholds);

// Groups the strangers of several films, one after the other; numbers them from 1 by their first appearance.
struct FilmTracks {
  std::vector<Track>* tracks = nullptr;
  std::span<const float> vectors;
};
void number_strangers(std::span<const FilmTracks> films, int64_t dim, const TimelineThresholds& thresholds);

bool are_seen_together(const Track& a, const Track& b);

}  // namespace uir
