// make_player_page OUT.html <SPEC.json: the page of the film, or of the photos, that SPEC describes; what
// tests/cli/player.sh looks at in a browser.
#include <fstream>
#include <iostream>
#include <iterator>

#include "uir/timeline/player_page.h"

namespace uir {
namespace {

Verdict verdict_of(const std::string& name) {
  if (name == "known") return Verdict::kKnown;
  if (name == "unsure") return Verdict::kUnsure;
  return name == "stranger" ? Verdict::kStranger : Verdict::kTooSmall;
}

std::vector<Span> spans_of(const Json& json) {
  std::vector<Span> spans;
  for (size_t i = 0; i + 1 < json.size(); i += 2)
    spans.push_back({json[i].get<int64_t>(), json[i + 1].get<int64_t>()});
  return spans;
}

Track track_of(const Json& json) {
  Track track;
  track.id = json.at("id");
  track.time = {json.at("begin"), json.at("end")};
  track.hidden = spans_of(json.value("hidden", Json::array()));
  track.verdict = verdict_of(json.at("kind"));
  track.person = json.value("person", "");
  track.stranger = json.value("stranger", int64_t{0});
  track.by_hand = json.value("by_hand", false);
  track.picture = json.value("picture", "");
  for (const Json& candidate : json.value("candidates", Json::array()))
    track.candidates.push_back({candidate[0], candidate[1]});
  for (const Json& sight : json.value("sights", Json::array()))
    track.sights.push_back({sight[0], {sight[1], sight[2], sight[3], sight[4]}});
  return track;
}

Timeline timeline_of(const Json& json) {
  Timeline timeline;
  const Json& film = json.at("film");
  timeline.film.file = film.at("file");
  timeline.film.bytes = film.value("bytes", uint64_t{0});
  timeline.film.ticks_per_second = film.value("ticks_per_second", int64_t{1});
  if (film.contains("shown")) timeline.film.shown = {film["shown"][0], film["shown"][1]};
  timeline.film.width = film.value("width", int64_t{0});
  timeline.film.height = film.value("height", int64_t{0});
  timeline.film.rate_num = film.value("rate_num", int64_t{0});
  timeline.film.rate_den = film.value("rate_den", int64_t{1});
  timeline.film.constant_rate = film.value("constant_rate", false);
  timeline.photos = json.value("photos", std::vector<std::string>());
  timeline.thresholds.known = .4;
  timeline.thresholds.unsure = .3;
  for (const Json& track : json.at("tracks")) timeline.tracks.push_back(track_of(track));
  return timeline;
}

std::vector<PersonLine> lines_of(const Json& json) {
  std::vector<PersonLine> lines;
  for (const Json& line : json.at("lines")) {
    lines.push_back({line.at("name"),
                     verdict_of(line.at("kind")),
                     spans_of(line.at("visible")),
                     spans_of(line.at("scenes")),
                     {}});
    for (const std::string path : line.value("pictures", Json::array()))
      lines.back().pictures.push_back(read_text_file(path));
  }
  return lines;
}

}  // namespace
}  // namespace uir

int main(int argc, char** argv) {
  if (argc != 2) return 64;
  const uir::Json spec = uir::Json::parse(std::cin);
  const uir::Timeline timeline = uir::timeline_of(spec);
  const std::vector<uir::PersonLine> lines = uir::lines_of(spec);
  std::ofstream out(argv[1], std::ios::binary);
  out << (timeline.is_film() ? uir::player_page(timeline, lines) : uir::photos_page(timeline, lines));
  return out.flush() ? 0 : 1;
}
