// The commands that play or cut a film to some spans, for programs of others: mpv and ffmpeg.
#pragma once

#include <string>
#include <vector>

#include "uir/timeline/timeline.h"

namespace uir {

// A program and its arguments.
using Command = std::vector<std::string>;

// As a POSIX shell reads it.
std::string shell_text(const Command& command);

// Plays the spans, without encoding.
Command play_command(const Film& film, const std::vector<Span>& spans, const fs::path& film_file);

// Encodes exactly the frames and sounds of the spans into a new file; what lies in between goes from the
// times as well, so that picture and sound stay together at any rate. Never overwrites.
Command cut_command(const Film& film, const std::vector<Span>& spans, const fs::path& film_file,
                    const fs::path& out);

// Lists the film's packets of pictures, a line each: time, flags. key_frames() reads that: ascending ticks.
Command packets_command(const fs::path& film_file);
std::vector<int64_t> key_frames(const Film& film, const std::string& packets);
// What is copied for each span: from the last key frame that is not behind its begin, if there is one.
std::vector<Span> copied_spans(const std::vector<Span>& spans, const std::vector<int64_t>& key_frames);

// Copies without encoding, by a list that ffmpeg reads. Spans that do not begin at key frames begin at the
// one before, and those parts' times lie upon each other.
Command copy_command(const fs::path& list, const fs::path& out);
std::string copy_list(const Film& film, const std::vector<Span>& spans, const fs::path& film_file);

}  // namespace uir
