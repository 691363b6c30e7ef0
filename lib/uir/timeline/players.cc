#include "uir/timeline/players.h"

#include "uir/base/error.h"
#include "uir/timeline/clock.h"
#include "uir/timeline/layers.h"

namespace uir {
namespace {

// file,start,length; the file behind its length in bytes, for no byte of it to mean anything.
std::string mpv_entry(const Film& film, const Span& span, const std::string& film_file) {
  const int64_t tps = film.ticks_per_second;
  return concat('%', film_file.size(), '%', film_file, ',',
                seconds_text(film.container_start + span.begin, tps, 6), ',',
                seconds_text(span.length(), tps, 6));
}

}  // namespace

std::string mpv_edl(const Film& film, const std::vector<Span>& spans, const std::string& film_file) {
  std::string text = "# mpv EDL v0\n";
  for (const Span& span : spans) text += mpv_entry(film, span, film_file) + '\n';
  return text;
}

std::string mpv_address(const Film& film, const std::vector<Span>& spans, const std::string& film_file) {
  std::string text = "edl://";
  for (const Span& span : spans) text += mpv_entry(film, span, film_file) + ';';
  return text;
}

std::string kodi_edl(const Film& film, const std::vector<Span>& spans) {
  std::string text;
  for (const Span& gap : complement(spans, {0, film.shown.end}))
    text += concat(seconds_text(gap.begin, film.ticks_per_second, 3), ' ',
                   seconds_text(gap.end, film.ticks_per_second, 3), " 0\n");
  return text;
}

std::string metadata_value(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (std::string_view("=;#\\\n").find(c) != std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string chapters(const Film& film, const std::vector<Span>& spans, const std::string& person) {
  std::string text = ";FFMETADATA1\n";
  for (size_t i = 0; i < spans.size(); ++i) {
    text += concat("[CHAPTER]\nTIMEBASE=1/", film.ticks_per_second, "\nSTART=", spans[i].begin,
                   "\nEND=", spans[i].end, "\ntitle=", metadata_value(person), ' ', i + 1, '\n');
  }
  return text;
}

}  // namespace uir
