// Writes everything that a timeline's folder holds, from the timeline alone.
#pragma once

#include <string>
#include <vector>

#include "uir/timeline/timeline.h"

namespace uir {

// Replaces the outputs in the folder (docs/timeline.md), each by the commit protocol (base/file.h), those
// that would not change left alone, timeline.json last: of a film timeline.csv, visible.vtt, scenes.vtt,
// players/, editors/ and player.html, with the pictures that lie in the folder; of photos photos.csv and
// photos.html. Names become clean (names.h). Files in players/ and editors/ of people
// who are no longer there are removed; all else in the folder stays.
// kCannotCreate, kIo.
void write_outputs(const fs::path& folder, Timeline timeline);

// The same for a new analysis: corrections in the folder's log (edits.h) are replayed over it first. Returns
// what of them finds nobody any more, in words.
std::vector<std::string> write_timeline(const fs::path& folder, Timeline analysis);

}  // namespace uir
