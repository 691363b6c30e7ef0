// Who is in a track: somebody of the gallery, nobody of it, or not to be told.
//
// Tracks of all films that are likely one person make a group (track_groups.h), known or not. A track's
// score with a person is the cosine of their vectors or, where it is higher and the track alone reaches
// `unsure`, that of the group's mean vector: what is seen of somebody at one time helps at another.
// From `known` on a track has the person's name, below `unsure` it is a stranger, between them unsure. A
// track whose largest face is below `smallest_face` is in no group; without a name it is too small to tell.
// Small faces rarely reach a name, and strangers' less often than large ones (docs/results.md). Tracks that
// are seen at one time are different people: the name goes to the track with the highest score first, and one
// that overlaps it in time gets its next candidate, or is unsure. Strangers have their group's number, from 1
// by their first appearance.
// Overlaps of less than kLongestOverlap of the shorter track do not count: they are errors of tracking.
// Cost: that of group_tracks, and tracks · people products. Threads: thread-safe. Errors: none.
#pragma once

#include <span>
#include <vector>

#include "uir/timeline/timeline.h"

namespace uir {

// Of the gallery, or of tracks: of length 1 [names, dim].
struct PeopleVectors {
  std::vector<std::string> names;
  std::vector<float> vectors;
};

struct FilmTracks {
  std::vector<Track>* tracks = nullptr;
  std::vector<float> vectors;   // of length 1 [tracks, dim]
  std::vector<double> largest;  // of each track the shorter side of its largest box [pixels]
};

// Sets verdict, candidates, person and stranger of the tracks of all films.
void decide_tracks(std::span<const FilmTracks> films, const PeopleVectors& people, int64_t dim,
                   const TimelineThresholds& thresholds);

bool are_seen_together(const Track& a, const Track& b);

}  // namespace uir
