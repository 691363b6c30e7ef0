#include "uir/timeline/editors.h"

#include <algorithm>
#include <cstdio>

#include "uir/base/json_text.h"

namespace uir {
namespace {

// [begin, end) in frames, at least one.
Span frames_of(const Film& film, const FrameClock& clock, const Span& span) {
  const int64_t begin = std::max<int64_t>(0, clock.frame_of(span.begin, film.ticks_per_second));
  return {begin, std::max(begin + 1, clock.frame_of(span.end, film.ticks_per_second))};
}

class OpenTimeline {
 public:
  OpenTimeline(const Film& film, const std::string& film_file)
      : film_(film), clock_(frame_clock(film)), url_(url_path(film_file)) {}

  Json timeline(const std::vector<Span>& spans, const std::string& person) const {
    Json stack = object("Stack.1", "tracks");
    stack["children"] = Json::array({track("Video", spans, person), track("Audio", spans, person)});
    Json json = {{"OTIO_SCHEMA", "Timeline.1"}, {"name", person}, {"metadata", Json::object()}};
    json["global_start_time"] = time(clock_.frame_at(1, 0, 0, 0));
    json["tracks"] = std::move(stack);
    return json;
  }

 private:
  static Json object(const char* schema, const std::string& name) {
    return {{"OTIO_SCHEMA", schema},
            {"name", name},
            {"metadata", Json::object()},
            {"source_range", nullptr},
            {"effects", Json::array()},
            {"markers", Json::array()},
            {"enabled", true}};
  }
  Json time(int64_t frames) const {
    const double rate = static_cast<double>(clock_.rate_num) / static_cast<double>(clock_.rate_den);
    return {{"OTIO_SCHEMA", "RationalTime.1"}, {"rate", rate}, {"value", static_cast<double>(frames)}};
  }
  Json range(const Span& frames) const {
    return {{"OTIO_SCHEMA", "TimeRange.1"},
            {"start_time", time(frames.begin)},
            {"duration", time(frames.length())}};
  }
  Json track(const char* kind, const std::vector<Span>& spans, const std::string& person) const {
    Json json = object("Track.1", person);
    json["kind"] = kind;
    json["children"] = Json::array();
    for (const Span& span : spans) json["children"].push_back(clip(span));
    return json;
  }
  Json clip(const Span& span) const {
    Json json = object("Clip.1", film_.file);
    json["source_range"] = range(frames_of(film_, clock_, span));
    json["media_reference"] = {{"OTIO_SCHEMA", "ExternalReference.1"},
                               {"name", film_.file},
                               {"metadata", Json::object()},
                               {"available_range", range(frames_of(film_, clock_, {0, film_.shown.end}))},
                               {"target_url", url_}};
    return json;
  }

  const Film& film_;
  const FrameClock clock_;
  const std::string url_;
};

}  // namespace

FrameClock frame_clock(const Film& film) {
  return film.rate_num > 0 ? FrameClock{film.rate_num, film.rate_den} : FrameClock{};
}

std::string cmx_edl(const Film& film, const std::vector<Span>& spans, const std::string& person) {
  const FrameClock clock = frame_clock(film);
  std::string text =
      concat("TITLE: ", person, "\nFCM: ", clock.drops() ? "DROP FRAME" : "NON-DROP FRAME", "\n\n");
  int64_t cut = clock.frame_at(1, 0, 0, 0);
  for (size_t i = 0; i < spans.size(); ++i) {
    const Span source = frames_of(film, clock, spans[i]);
    char number[24];
    std::snprintf(number, sizeof number, "%03d", static_cast<int>(i + 1));
    text += concat(number, "  AX       V     C        ", clock.code(source.begin), ' ',
                   clock.code(source.end), ' ', clock.code(cut), ' ', clock.code(cut + source.length()),
                   "\n* FROM CLIP NAME: ", film.file, '\n');
    cut += source.length();
  }
  return text;
}

std::string open_timeline(const Film& film, const std::vector<Span>& spans, const std::string& person,
                          const std::string& film_file) {
  return json_text(OpenTimeline(film, film_file).timeline(spans, person), 1) + '\n';
}

std::string url_path(const std::string& path) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
  std::string url;
  for (const char c : path) {
    if (kPlain.find(c) != std::string_view::npos) {
      url += c;
      continue;
    }
    char escaped[4];
    std::snprintf(escaped, sizeof escaped, "%%%02X", static_cast<unsigned char>(c));
    url += escaped;
  }
  return url;
}

}  // namespace uir
