#include "uir/timeline/timeline.h"

#include <algorithm>
#include <charconv>
#include <functional>

#include "uir/base/json_text.h"
#include "uir/base/text.h"
#include "uir/timeline/number_rows.h"

namespace uir {
namespace {

Json json_of(const Span& span) { return Json::array({span.begin, span.end}); }

Json json_of(const std::vector<Span>& spans) {
  Json json = Json::array();
  for (const Span& span : spans) json.push_back(json_of(span));
  return json;
}

Json json_of(const Film& film) {
  Json json = {{"file", film.file}};
  if (is_utf8(film.path)) {
    json["path"] = film.path;
  } else {
    json["path_bytes"] = to_hex(film.path);
  }
  json["bytes"] = film.bytes;
  json["checksum"] = film.checksum;
  json["ticks_per_second"] = film.ticks_per_second;
  json["container_start"] = film.container_start;
  json["shown"] = json_of(film.shown);
  json["width"] = film.width;
  json["height"] = film.height;
  json["frames"] = film.frames;
  json["lost"] = film.lost;
  json["rate"] = Json::array({film.rate_num, film.rate_den});
  json["constant_rate"] = film.constant_rate;
  return json;
}

Json json_of(const TimelineThresholds& thresholds) {
  return {{"known", thresholds.known},
          {"unsure", thresholds.unsure},
          {"same_person", thresholds.same_person},
          {"smallest_face", thresholds.smallest_face},
          {"because", thresholds.because}};
}

std::string in_quotes(std::string_view plain) { return '"' + std::string(plain) + '"'; }

// Most strings are plain; the others are left to the library.
void append_string(std::string& text, std::string_view key, const std::string& value) {
  text += key;
  const bool plain = std::all_of(value.begin(), value.end(),
                                 [](char c) { return c >= ' ' && c < 0x7f && c != '"' && c != '\\'; });
  text += plain ? in_quotes(value) : json_text(value);
}

void append_count(std::string& text, std::string_view key, int64_t value) {
  text += key;
  append_number(text, value);
}

void append_decision(std::string& text, Verdict verdict, const std::string& person, int64_t stranger) {
  text += in_quotes(verdict_name(verdict));
  append_string(text, ",\"person\":", person);
  append_count(text, ",\"stranger\":", stranger);
}

void append_rows(std::string& text, const std::vector<TrackFace>& faces) {
  for (size_t i = 0; i < faces.size(); ++i) {
    text += i == 0 ? "[" : ",[";
    append_number(text, faces[i].ticks);
    text += ',';
    append_number(text, faces[i].weight);
    text += ',';
    append_number(text, faces[i].vector);
    text += ']';
  }
}

void append_rows(std::string& text, const std::vector<Sight>& sights) {
  for (size_t i = 0; i < sights.size(); ++i) {
    NumberLine line;
    line.put(i == 0 ? '[' : ',');
    if (i > 0) line.put('[');
    line.put_number(sights[i].ticks);
    for (const float side : sights[i].box) {
      line.put(',');
      line.put_tenths(static_cast<double>(side));
    }
    line.put(']');
    text += line.text();
  }
}

void append_candidates(std::string& text, const std::vector<Candidate>& candidates) {
  for (size_t i = 0; i < candidates.size(); ++i) {
    append_string(text, i == 0 ? "[" : ",[", candidates[i].person);
    text += ',';
    append_number(text, candidates[i].score);
    text += ']';
  }
}

// A document of each track would take longer than all its numbers.
void append_track(std::string& text, const Track& track) {
  append_count(text, "{\"id\":", track.id);
  append_count(text, ",\"time\":[", track.time.begin);
  append_count(text, ",", track.time.end);
  text += ']';
  if (!track.hidden.empty()) text += ",\"hidden\":" + json_text(json_of(track.hidden));
  append_count(text, ",\"shot\":", track.shot);
  text += ",\"verdict\":";
  append_decision(text, track.verdict, track.person, track.stranger);
  text += ",\"candidates\":[";
  append_candidates(text, track.candidates);
  text += track.by_hand ? "],\"by_hand\":true" : "],\"by_hand\":false";
  if (track.found) {
    text += ",\"found\":{\"verdict\":";
    append_decision(text, track.found->verdict, track.found->person, track.found->stranger);
    text += '}';
  }
  if (track.part_of != 0) append_count(text, ",\"part_of\":", track.part_of);
  append_string(text, ",\"picture\":", track.picture);
  text += ",\"faces\":[";
  append_rows(text, track.faces);
  text += "],\"sights\":[";
  append_rows(text, track.sights);
  text += "]}";
}

void append_tracks(std::string& text, const std::vector<Track>& tracks) {
  size_t size = text.size();
  for (const Track& track : tracks) size += 400 + 32 * track.faces.size() + 40 * track.sights.size();
  text.reserve(size);
  for (size_t i = 0; i < tracks.size(); ++i) {
    text += i == 0 ? "\n" : ",\n";
    append_track(text, tracks[i]);
  }
}

}  // namespace

std::string timeline_text(const Timeline& timeline) {
  Json people = Json::array();
  for (const GalleryPerson& person : timeline.people)
    people.push_back({{"name", person.name}, {"photos", person.photos}});
  std::string text =
      concat("{\"format\":\"uir-timeline\",\"version\":1,\n\"film\":", json_text(json_of(timeline.film)),
             ",\n\"photos\":", json_text(timeline.photos), ",\n\"people\":", json_text(people),
             ",\n\"thresholds\":", json_text(json_of(timeline.thresholds)),
             ",\n\"made_by\":", json_text(timeline.made_by), ",\n\"vector_size\":", timeline.vector_size,
             ",\n\"shots\":", json_text(json_of(timeline.shots)), ",\n\"uncut\":[");
  append_tracks(text, timeline.uncut);
  text += "],\n\"tracks\":[";
  append_tracks(text, timeline.tracks);
  text += "\n]}\n";
  return text;
}

Json to_json(const Timeline& timeline) { return Json::parse(timeline_text(timeline)); }

Timeline read_timeline(const fs::path& folder) {
  const fs::path file = folder / "timeline.json";
  std::error_code ignored;
  if (fs::is_directory(folder, ignored) && !fs::exists(file, ignored)) {
    fail(ErrorKind::kMissingInput, file.string(),
         ": is not there; give the folder FILM.timeline that uir-identify wrote");
  }
  return parse_timeline(read_text_file(file, uint64_t{1} << 30), file.string());
}

const char* verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::kKnown:
      return "known";
    case Verdict::kUnsure:
      return "unsure";
    case Verdict::kStranger:
      return "stranger";
    case Verdict::kTooSmall:
      return "too small";
  }
  return "";
}

std::string stranger_name(int64_t number) { return concat("stranger ", number); }

std::string shown_name(const Track& track) {
  if (track.verdict == Verdict::kKnown) return track.person;
  if (track.verdict == Verdict::kStranger && track.stranger > 0) return stranger_name(track.stranger);
  return "?";
}

Label::Label(const std::string& text) : person_(text) {
  constexpr std::string_view kBefore = "stranger ";
  if (!text.starts_with(kBefore)) return;
  const auto [end, error] =
      std::from_chars(text.data() + kBefore.size(), text.data() + text.size(), stranger_);
  if (error != std::errc() || stranger_name(stranger_) != text) stranger_ = 0;
}

bool Label::fits(const Track& track) const {
  if (track.verdict == Verdict::kKnown) return track.person == person_;
  return track.verdict == Verdict::kStranger && stranger_ > 0 && track.stranger == stranger_;
}

std::vector<Span> seen_spans(const Track& track) {
  std::vector<Span> spans;
  int64_t begin = track.time.begin;
  for (const Span& hidden : track.hidden) {
    spans.push_back({begin, hidden.begin});
    begin = hidden.end;
  }
  spans.push_back({begin, track.time.end});
  return spans;
}

void cut_off_hidden(Span& time, std::vector<Span>& hidden) {
  for (const Span& span : hidden) {
    if (span.begin <= time.begin && time.begin < span.end) time.begin = span.end;
    if (span.begin < time.end && time.end <= span.end) time.end = span.begin;
  }
  const auto is_inside = [&](const Span& span) { return time.begin < span.begin && span.end < time.end; };
  hidden.erase(std::remove_if(hidden.begin(), hidden.end(), std::not_fn(is_inside)), hidden.end());
}

bool is_seen_at(const Track& track, int64_t ticks) {
  return track.time.contains(ticks) &&
         std::none_of(track.hidden.begin(), track.hidden.end(),
                      [&](const Span& hidden) { return hidden.contains(ticks); });
}

std::array<float, 4> box_at(const Track& track, int64_t ticks) {
  if (track.sights.empty()) return {};
  const auto next = std::lower_bound(track.sights.begin(), track.sights.end(), ticks,
                                     [](const Sight& sight, int64_t at) { return sight.ticks < at; });
  if (next == track.sights.end()) return track.sights.back().box;
  if (next == track.sights.begin()) return next->box;
  const Sight& before = *(next - 1);
  const auto part = static_cast<float>(static_cast<double>(ticks - before.ticks) /
                                       static_cast<double>(next->ticks - before.ticks));
  std::array<float, 4> box = before.box;
  for (size_t i = 0; i < box.size(); ++i) box[i] += part * (next->box[i] - before.box[i]);
  return box;
}

fs::path timeline_folder(const fs::path& path) {
  std::error_code ignored;
  if (path.filename() == "timeline.json") return path.has_parent_path() ? path.parent_path() : fs::path(".");
  if (fs::exists(path / "timeline.json", ignored)) return path;
  fs::path beside = path;
  beside.replace_extension(".timeline");
  return fs::exists(beside / "timeline.json", ignored) ? beside : path;
}

fs::path film_path(const Film& film, const fs::path& folder) {
  const fs::path path = film.path.empty() ? fs::path("..") / film.file : fs::path(film.path);
  return (folder / path).lexically_normal();
}

}  // namespace uir
