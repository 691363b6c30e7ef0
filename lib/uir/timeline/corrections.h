// Corrections as people give them: who is meant, what is to be, and everything rewritten.
//
// WHO is a label ("Anna", "stranger 3": everybody under it), a track ("#12"), or a time ("00:41:07": the one
// track visible then; of photos the name of a photo with one face). Errors: kUsage naming what would do.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "uir/timeline/edits.h"

namespace uir {

// Tracks as places in timeline.tracks, never none.
struct Who {
  std::vector<size_t> tracks;
  bool label = false;  // everybody under one
};
// `said`: of several that are visible at a time the one with this label.
Who find_who(const Timeline& timeline, const std::string& who, const std::optional<std::string>& said = {});

// The tracks visible at a time, ascending by id.
std::vector<size_t> tracks_at(const Timeline& timeline, int64_t ticks);
// "00:41:07", 41:07.5, 2467.25 in ticks; the name of a photo. kUsage for what is neither.
int64_t parse_time(const Timeline& timeline, const std::string& text);

// They are this person.
Edit name_edit(const Timeline& timeline, const std::string& who, const std::string& name);
// They are not who they are said to be (`said`, if given).
Edit not_edit(const Timeline& timeline, const std::string& who, const std::optional<std::string>& said);
// Two are one person. With two names: the first.
Edit merge_edit(const Timeline& timeline, const std::string& a, const std::string& b);
// A track is cut in two; of a label, its track at that time leaves it.
Edit split_edit(const Timeline& timeline, const std::string& who, const std::string& time);
// Takes the last one back. kUsage if there is none.
Edit undo_edit(const fs::path& folder);

// Asks for a correction of what is shown now, adds it to the log, replays the log over what analysis found
// and rewrites the outputs. Returns the timeline as it is then; what could not be replayed is warned of. One
// at a time in a folder (kCannotCreate).
Timeline correct(const fs::path& folder, const std::function<Edit(const Timeline&)>& make);

}  // namespace uir
