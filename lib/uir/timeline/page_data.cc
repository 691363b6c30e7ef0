#include "uir/timeline/page_data.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>
#include <utility>

#include "uir/base/json_text.h"
#include "uir/report/html_parts.h"
#include "uir/timeline/number_rows.h"
#include "uir/base/quoting.h"

namespace uir {
namespace {

// Also the name of a class of the style sheet.
std::string_view kind_of(Verdict verdict) {
  return verdict == Verdict::kTooSmall ? "small" : verdict_name(verdict);
}

// A person whose name is that of a stranger is another line.
using LineKey = std::pair<Verdict, std::string>;

LineKey key_of(Verdict verdict, const std::string& name) {
  const bool named = verdict == Verdict::kKnown || verdict == Verdict::kStranger;
  return {verdict, named ? name : std::string()};
}

std::string name_of(const Track& track) {
  if (track.verdict == Verdict::kKnown) return track.person;
  return track.stranger > 0 ? concat("stranger ", track.stranger) : "?";
}

Json flat(const std::vector<Span>& spans) {
  Json list = Json::array();
  for (const Span& span : spans) {
    list.push_back(span.begin);
    list.push_back(span.end);
  }
  return list;
}

Json person_json(const PersonLine& line) {
  Json pictures = Json::array();
  for (const std::string& picture : line.pictures)
    pictures.push_back("data:image/jpeg;base64," + base64(as_bytes(picture)));
  return {{"name", line.name},
          {"kind", kind_of(line.verdict)},
          {"visible", flat(line.visible)},
          {"scenes", flat(line.scenes)},
          {"pictures", std::move(pictures)}};
}

// Without sights.
Json track_json(const Track& track, int64_t line) {
  Json candidates = Json::array();
  for (const Candidate& candidate : track.candidates)
    candidates.push_back({candidate.person, std::round(candidate.score * 1e4) / 1e4});
  return {{"id", track.id},
          {"line", line},
          {"begin", track.time.begin},
          {"end", track.time.end},
          {"hidden", flat(track.hidden)},
          {"kind", kind_of(track.verdict)},
          {"byHand", track.by_hand},
          {"picture", track.picture},
          {"candidates", std::move(candidates)}};
}

// Nearly all of the data: as a document it would take five times as long.
void append_sights(const std::vector<Sight>& sights, std::string& text) {
  for (const Sight& sight : sights) {
    NumberLine line;
    if (&sight != sights.data()) line.put(',');
    line.put_number(sight.ticks);
    for (const float edge : sight.box) {
      line.put(',');
      line.put_number(std::llround(edge));
    }
    text += line.text();
  }
}

// Each part of a path is encoded.
std::string url_of_path(const std::string& path) {
  std::string url;
  for (size_t at = 0; at <= path.size();) {
    const size_t end = std::min(path.find('/', at), path.size());
    url += (at > 0 ? "/" : "") + url_encoded(path.substr(at, end - at));
    at = end + 1;
  }
  return url;
}

// The folder with the film or the photos, seen from the page, with a slash behind it.
std::string folder_url(const Film& film) {
  const std::string folder = film_path(film, "").lexically_normal().parent_path().string();
  return folder.empty() ? "" : (folder.starts_with('/') ? "file://" : "") + url_of_path(folder) + "/";
}

Json film_json(const Film& film) {
  const FilmCopy copy = playable_copy(film.file);
  const std::string folder = folder_url(film);
  return {{"file", film.file},
          {"url", folder + url_encoded(film_path(film, "").filename().string())},
          {"bytes", film.bytes},
          {"copy", copy.file},
          {"copyUrl", folder + url_encoded(copy.file)},
          {"command", copy.command},
          {"ticksPerSecond", film.ticks_per_second},
          {"begin", film.shown.begin},
          {"end", film.shown.end},
          {"width", film.width},
          {"height", film.height},
          {"rate", {film.rate_num, film.rate_den}},
          {"constantRate", film.constant_rate}};
}

Json photos_json(const Timeline& timeline) {
  const std::string folder =
      folder_url(timeline.film) + url_encoded(film_path(timeline.film, "").filename().string()) + "/";
  Json photos = Json::array();
  for (const std::string& name : timeline.photos)
    photos.push_back({{"name", name}, {"url", folder + url_of_path(name)}});
  return photos;
}

}  // namespace

std::string page_data(const Timeline& timeline, const std::vector<PersonLine>& lines) {
  std::map<LineKey, int64_t> place;
  Json people = Json::array();
  for (const PersonLine& line : lines) {
    place.emplace(key_of(line.verdict, line.name), static_cast<int64_t>(people.size()));
    people.push_back(person_json(line));
  }
  const Json rest = {
      {"film", film_json(timeline.film)},
      {"thresholds", {{"known", timeline.thresholds.known}, {"unsure", timeline.thresholds.unsure}}},
      {"gallery", timeline.people.size()},
      {"people", std::move(people)},
      {"photos", photos_json(timeline)}};
  std::string text = json_text(rest);
  text.back() = ',';
  text += "\"tracks\":[";
  for (const Track& track : timeline.tracks) {
    const auto found = place.find(key_of(track.verdict, name_of(track)));
    if (&track != timeline.tracks.data()) text += ',';
    text += json_text(track_json(track, found == place.end() ? -1 : found->second));
    text.back() = ',';
    text += "\"sights\":[";
    append_sights(track.sights, text);
    text += "]}";
  }
  return text + "]}";
}

std::string script_text(std::string_view json) {
  std::string escaped;
  escaped.reserve(json.size() + json.size() / 64);
  const auto is_markup = [](char c) { return c == '<' || c == '>' || c == '&'; };
  for (auto at = json.begin(); at != json.end();) {
    const auto next = std::find_if(at, json.end(), is_markup);
    escaped.append(at, next);
    at = next;
    if (at == json.end()) break;
    // Only inside strings, where they may stand as \u003c.
    escaped += *at == '<' ? "\\u003c" : *at == '>' ? "\\u003e" : "\\u0026";
    ++at;
  }
  return escaped;
}

}  // namespace uir
