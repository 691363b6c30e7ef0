#include "uir/timeline/cutting.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "uir/timeline/clock.h"
#include "uir/timeline/players.h"

namespace uir {
namespace {

// Frames lie on the borders of spans, and times are compared as floating point: the borders are moved in
// front of them by half a millisecond.
std::string border(const Film& film, int64_t ticks) {
  return seconds_text(ticks * 2000 - film.ticks_per_second, film.ticks_per_second * 2000, 6);
}

// The frames within the spans.
std::string chosen(const Film& film, const std::vector<Span>& spans) {
  std::string text;
  for (const Span& span : spans)
    text += concat(text.empty() ? "" : "+", "gte(t,", border(film, span.begin), ")*lt(t,",
                   border(film, span.end), ")");
  return text;
}

// Their times without what was left out before them.
std::string moved_up(const Film& film, const std::vector<Span>& spans) {
  std::string text = "(T";
  int64_t end = 0;
  for (const Span& span : spans) {
    text += concat("-", seconds_text(span.begin - end, film.ticks_per_second, 6), "*gte(T,",
                   border(film, span.begin), ")");
    end = span.end;
  }
  return text + ")/TB";
}

std::string file_name(const fs::path& path) { return "file:" + path.string(); }

}  // namespace

std::string shell_text(const Command& command) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._/:=+,@%";
  std::string text;
  for (const std::string& argument : command) {
    if (!text.empty()) text += ' ';
    if (!argument.empty() && argument.find_first_not_of(kPlain) == std::string::npos) {
      text += argument;
      continue;
    }
    text += '\'';
    for (const char c : argument) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
    text += '\'';
  }
  return text;
}

Command play_command(const Film& film, const std::vector<Span>& spans, const fs::path& film_file) {
  return {"mpv", mpv_address(film, spans, film_file.string())};
}

Command cut_command(const Film& film, const std::vector<Span>& spans, const fs::path& film_file,
                    const fs::path& out) {
  const std::string frames = chosen(film, spans), times = moved_up(film, spans);
  return {"ffmpeg",
          "-hide_banner",
          "-nostdin",
          "-loglevel",
          "warning",
          "-stats",
          "-n",
          "-i",
          file_name(film_file),
          "-vf",
          concat("select='", frames, "',setpts='", times, "'"),
          "-af",
          concat("aselect='", frames, "',asetpts='", times, "',aresample=async=1"),
          file_name(out)};
}

Command copy_command(const fs::path& list, const fs::path& out) {
  return {"ffmpeg", "-hide_banner", "-nostdin", "-loglevel", "warning", "-stats",        "-n",
          "-f",     "concat",       "-safe",    "0",         "-i",      file_name(list), "-c",
          "copy",   file_name(out)};
}

std::string copy_list(const Film& film, const std::vector<Span>& spans, const fs::path& film_file) {
  std::string quoted;
  for (const char c : file_name(fs::absolute(film_file)))
    quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  std::string text = "ffconcat version 1.0\n";
  for (const Span& span : spans) {
    text += concat("file '", quoted, "'\ninpoint ",
                   seconds_text(film.container_start + span.begin, film.ticks_per_second, 6), "\noutpoint ",
                   seconds_text(film.container_start + span.end, film.ticks_per_second, 6), '\n');
  }
  return text;
}

Command packets_command(const fs::path& film_file) {
  return {"ffprobe",
          "-v",
          "error",
          "-select_streams",
          "v:0",
          "-show_entries",
          "packet=pts_time,flags",
          "-of",
          "csv=p=0",
          file_name(film_file)};
}

std::vector<int64_t> key_frames(const Film& film, const std::string& packets) {
  std::vector<int64_t> ticks;
  for (size_t begin = 0; begin < packets.size();) {
    const size_t end = std::min(packets.find('\n', begin), packets.size());
    const std::string line = packets.substr(begin, end - begin);
    const size_t comma = line.find(',');
    char* behind = nullptr;
    const double seconds = std::strtod(line.c_str(), &behind);
    if (comma != std::string::npos && behind == line.c_str() + comma &&
        line.find('K', comma) != std::string::npos)
      ticks.push_back(ticks_of(seconds, film.ticks_per_second) - film.container_start);
    begin = end + 1;
  }
  std::sort(ticks.begin(), ticks.end());
  return ticks;
}

std::vector<Span> copied_spans(const std::vector<Span>& spans, const std::vector<int64_t>& key_frames) {
  std::vector<Span> copied = spans;
  for (Span& span : copied) {
    const auto behind = std::upper_bound(key_frames.begin(), key_frames.end(), span.begin);
    if (behind != key_frames.begin()) span.begin = *(behind - 1);
  }
  return copied;
}

}  // namespace uir
