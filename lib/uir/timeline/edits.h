// Corrections by people: a log beside the timeline, to which lines are only ever added, and which is replayed
// over whatever analysis found.
//
// A correction says whom it is about by places: a time and a box, several for each track. Replayed, a place
// finds the track that shows a face there then, so that corrections outlive a new analysis, whose tracks have
// other ids and ends. One that finds nobody is reported and does nothing; it stays in the log.
//
// revert() takes back to the byte what replay() did: the timeline holds what analysis found below what is
// shown (timeline.h).
#pragma once

#include <array>
#include <string>
#include <vector>

#include "uir/timeline/timeline.h"

namespace uir {

struct Anchor {
  double seconds = 0;  // of a film
  std::string photo;   // of photos
  std::array<float, 4> box{};
};

// One track, or everybody under one label.
struct Target {
  std::vector<Anchor> anchors;
  // Labels (Anna, stranger 3) more than half of whose tracks are found are taken as a whole.
  bool group = false;
};

enum class EditKind {
  kName,   // they are `name`
  kNot,    // they are not `name` (empty: not that stranger): a stranger of their own
  kMerge,  // `at` and `with` are one person: `name`; empty: who of them has a name, else the stranger `at`
  kSplit,  // the track is cut in two at `seconds`
  kUndo,   // takes back the last one that is not taken back
};

struct Edit {
  EditKind kind = EditKind::kUndo;
  std::string who;  // as they were called, for people who read the log
  Target at, with;
  std::string name;
  double seconds = 0;
};

// FOLDER/edits.jsonl; empty if there is none. kData naming file and line.
std::vector<Edit> read_edits(const fs::path& folder);
std::vector<Edit> parse_edits(std::string_view text, const std::string& place);
// By the commit protocol: a line is in the log or it is not.
void append_edit(const fs::path& folder, const Edit& edit);

// Those that hold: without undone ones.
std::vector<Edit> edits_in_effect(const std::vector<Edit>& log);

// Back to what analysis found.
void revert(Timeline& timeline);
// Applies the log to what analysis found; returns what cannot be applied, in words.
std::vector<std::string> replay(Timeline& timeline, const std::vector<Edit>& log);

// Places that find the tracks again: up to three a track.
Target target_of(const Timeline& timeline, const std::vector<size_t>& tracks, bool group);
// The same for a cut: the faces next to it.
Target target_of_cut(const Timeline& timeline, size_t track, int64_t ticks);
// The tracks that a target finds, as places in timeline.tracks, ascending.
std::vector<size_t> found_tracks(const Timeline& timeline, const Target& target);

// Whether it can be cut there: with a face on both sides.
bool can_cut(const Track& track, int64_t ticks);

}  // namespace uir
