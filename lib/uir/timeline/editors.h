// A person's spans as cuts for editing programs. In frames: of a film with a constant rate its own; of others
// the frames of its mean rate, to which editors convert.
#pragma once

#include <string>
#include <vector>

#include "uir/timeline/clock.h"
#include "uir/timeline/timeline.h"

namespace uir {

// How the film's frames are counted; 25 to the second where its rate is not known.
FrameClock frame_clock(const Film& film);

// CMX 3600: one video track; OUT is the first frame behind; the cut begins at 01:00:00:00; FCM is always
// written, drop frame at 29.97 and 59.94.
std::string cmx_edl(const Film& film, const std::vector<Span>& spans, const std::string& person);

// OpenTimelineIO: a video and an audio track of the same clips. `film_file`: the film as seen from the folder
// of that file, without escapes.
std::string open_timeline(const Film& film, const std::vector<Span>& spans, const std::string& person,
                          const std::string& film_file);

// A path as part of a URL.
std::string url_path(const std::string& path);

}  // namespace uir
