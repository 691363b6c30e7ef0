// What the pages of player_page.h are made of: assets/ as they are, embedded by the build
// (cmake/EmbedText.cmake). The bodies are well-formed XML; the scripts hold no "]]>", which would end their
// section of the page, and are joined in this order: spans, clock, lines, faces, player or photos.
#pragma once

#include <string_view>

namespace uir {

extern const std::string_view kTimelineStyle, kPlayerBody, kPhotosBody;
extern const std::string_view kSpansScript, kClockScript, kLinesScript, kFacesScript, kPlayerScript,
    kPhotosScript;

}  // namespace uir
