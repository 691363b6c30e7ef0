#include "uir/timeline/tables.h"

#include <algorithm>
#include <cstdio>
#include <tuple>

#include "uir/timeline/clock.h"
#include "uir/timeline/number_rows.h"

namespace uir {
namespace {

std::string score_text(const Track& track) {
  if (track.candidates.empty()) return "";
  char text[32];
  std::snprintf(text, sizeof text, "%.4f", track.candidates.front().score);
  return text;
}

void append_fields(std::string& text, const std::vector<std::string>& fields) {
  for (size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) text += ',';
    text += fields[i];
  }
  text += '\n';
}

std::string tenths(float value) {
  NumberLine line;
  line.put_tenths(static_cast<double>(value));
  return std::string(line.text());
}

}  // namespace

std::string csv_field(const std::string& text) {
  const bool plain =
      text.find_first_of(",\"\r\n") == std::string::npos && !text.starts_with(' ') && !text.ends_with(' ');
  if (plain) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

std::string timeline_csv(const Timeline& timeline) {
  const int64_t tps = timeline.film.ticks_per_second;
  const std::string video = csv_field(timeline.film.file);
  std::string text = "video,start,end,person,verdict,score,track,shot,by_hand,faces\n";
  for (const Track& track : timeline.tracks) {
    for (const Span& seen : seen_spans(track)) {
      append_fields(text, {video, seconds_text(seen.begin, tps, 6), seconds_text(seen.end, tps, 6),
                           csv_field(shown_name(track)), verdict_name(track.verdict), score_text(track),
                           concat(track.id), concat(track.shot), track.by_hand ? "1" : "0",
                           concat(track.faces.size())});
    }
  }
  return text;
}

std::string photos_csv(const Timeline& timeline) {
  std::string text = "photo,person,verdict,score,x1,y1,x2,y2,track,by_hand\n";
  for (const Track& track : timeline.tracks) {
    const auto photo = static_cast<size_t>(track.time.begin);
    const std::array<float, 4> box = track.sights.empty() ? std::array<float, 4>{} : track.sights.front().box;
    append_fields(
        text, {csv_field(photo < timeline.photos.size() ? timeline.photos[photo] : ""),
               csv_field(shown_name(track)), verdict_name(track.verdict), score_text(track), tenths(box[0]),
               tenths(box[1]), tenths(box[2]), tenths(box[3]), concat(track.id), track.by_hand ? "1" : "0"});
  }
  return text;
}

std::string cue_text(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    if (c == '&') {
      safe += "&amp;";
    } else if (c == '<') {
      safe += "&lt;";
    } else if (c == '>') {
      safe += "&gt;";
    } else {
      safe += c;
    }
  }
  return safe;
}

std::string captions(const Timeline& timeline, Layer layer) {
  struct Cue {
    Span span;
    size_t person;
  };
  const std::vector<std::string> people = shown_people(timeline);
  std::vector<Cue> cues;
  for (size_t person = 0; person < people.size(); ++person) {
    for (const Span& span : layer_of(timeline, layer, people[person])) cues.push_back({span, person});
  }
  std::sort(cues.begin(), cues.end(), [](const Cue& a, const Cue& b) {
    return std::tuple(a.span.begin, a.span.end, a.person) < std::tuple(b.span.begin, b.span.end, b.person);
  });
  const int64_t tps = timeline.film.ticks_per_second;
  std::string text = "WEBVTT\n";
  for (const Cue& cue : cues) {
    const int64_t begin = std::max<int64_t>(0, milliseconds_of(cue.span.begin, tps));
    const int64_t end = std::max(begin + 1, milliseconds_of(cue.span.end, tps));
    text +=
        concat('\n', clock_text(begin), " --> ", clock_text(end), '\n', cue_text(people[cue.person]), '\n');
  }
  return text;
}

}  // namespace uir
