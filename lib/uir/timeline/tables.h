// The timeline as text for programs and players: tables (CSV) and captions (WebVTT).
#pragma once

#include <string>

#include "uir/timeline/layers.h"

namespace uir {

// A row a track: video,start,end,person,verdict,score,track,shot,by_hand,faces. Times are seconds from the
// container's start, half-open, six digits; somebody unknown is "?", of a group "stranger 3". RFC 4180 with
// lines ended by \n.
std::string timeline_csv(const Timeline& timeline);
// A row a face of the photos: photo,person,verdict,score,x1,y1,x2,y2,track,by_hand.
std::string photos_csv(const Timeline& timeline);

// A cue a span of a person, everybody's, by their begin. At least one millisecond each.
std::string captions(const Timeline& timeline, Layer layer);

// One field of a CSV row.
std::string csv_field(const std::string& text);
// Text in a cue: & < > as references, so that no "-->" is left.
std::string cue_text(const std::string& text);

}  // namespace uir
