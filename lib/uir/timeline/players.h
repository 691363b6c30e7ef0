// What players play of a film, for one person: the spans of a layer as lists of cuts and chapters.
// Spans are ascending and apart (layers.h).
#pragma once

#include <string>
#include <vector>

#include "uir/timeline/timeline.h"

namespace uir {

// A file that mpv plays: only the spans, without encoding. `film_file`: the film as seen from the folder of
// that file; bytes.
std::string mpv_edl(const Film& film, const std::vector<Span>& spans, const std::string& film_file);
// The same as an address, edl://…, in place of a file.
std::string mpv_address(const Film& film, const std::vector<Span>& spans, const std::string& film_file);

// What Kodi reads beside the film as FILM.edl: everything else is cut.
std::string kodi_edl(const Film& film, const std::vector<Span>& spans);

// A chapter a span, for FFmpeg: "Anna 1", "Anna 2" …
std::string chapters(const Film& film, const std::vector<Span>& spans, const std::string& person);
// A value of FFmpeg's metadata files.
std::string metadata_value(const std::string& text);

}  // namespace uir
