#include "uir/timeline/tables.h"

#include <map>
#include <sstream>

#include "support/catch.h"
#include "support/timelines.h"
#include "uir/timeline/clock.h"
#include "uir/timeline/names.h"

namespace uir {
namespace {

// RFC 4180.
std::vector<std::vector<std::string>> parse_csv(const std::string& text) {
  std::vector<std::vector<std::string>> rows(1, {""});
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c != '"') {
        rows.back().back() += c;
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        rows.back().back() += text[++i];
      } else {
        quoted = false;
      }
    } else if (c == '"') {
      quoted = true;
    } else if (c == ',') {
      rows.back().emplace_back();
    } else if (c == '\n') {
      rows.push_back({""});
    } else {
      rows.back().back() += c;
    }
  }
  rows.pop_back();
  return rows;
}

Timeline with_wicked_names() {
  Timeline t = made_up_timeline(5);
  const auto names = wicked_names();
  size_t i = 0;
  for (Track& track : t.tracks) {
    track.verdict = Verdict::kKnown;
    track.stranger = 0;
    track.person = names[i++ % names.size()];
  }
  clean_names(t);
  return t;
}

TEST_CASE("the table has a row for each time that a track is to be seen, whatever the names", "[timeline]") {
  const Timeline t = with_wicked_names();
  const auto rows = parse_csv(timeline_csv(t));
  CHECK(std::vector<std::string>(rows[0].begin(), rows[0].begin() + 4) ==
        std::vector<std::string>{"video", "start", "end", "person"});
  size_t next = 1;
  for (const Track& track : t.tracks) {
    std::vector<int64_t> times{track.time.begin};
    for (const Span& hidden : track.hidden) times.insert(times.end(), {hidden.begin, hidden.end});
    times.push_back(track.time.end);
    for (size_t k = 0; k < times.size(); k += 2) {
      REQUIRE(next < rows.size());
      const auto& row = rows[next++];
      REQUIRE(row.size() == rows[0].size());
      CHECK(row[0] == "film.mkv");
      CHECK(std::stod(row[1]) * 1000 == Approx(static_cast<double>(times[k])));
      CHECK(std::stod(row[2]) * 1000 == Approx(static_cast<double>(times[k + 1])));
      CHECK(row[3] == track.person);
      CHECK(row[6] == std::to_string(track.id));
    }
  }
  CHECK(next == rows.size());
  CHECK(csv_field("two\nlines\r,\"x\"") == "\"two\nlines\r,\"\"x\"\"\"");
  CHECK(csv_field(" a") == "\" a\"");
}

TEST_CASE("the table of photos", "[timeline]") {
  Timeline t;
  t.photos = {"a,b.jpg", "sub/c.jpg"};
  t.film.file = "photos";
  t.film.shown = {0, 2};
  Track track;
  track.id = 1;
  track.time = {1, 2};
  track.sights = {{1, {10, 20.5, 30.25F, 40}}};
  t.tracks = {track};
  track.id = 2;
  track.time = {0, 1};
  track.sights[0].ticks = 0;
  track.verdict = Verdict::kKnown;
  track.person = "Anna";
  track.candidates = {{"Anna", .71239}};
  t.tracks.push_back(track);
  CHECK(photos_csv(t) ==
        "photo,person,verdict,score,x1,y1,x2,y2,track,by_hand\n"
        "sub/c.jpg,?,too small,,10,20.5,30.3,40,1,0\n"
        "\"a,b.jpg\",Anna,known,0.7124,10,20.5,30.3,40,2,0\n");
}

std::string unescaped(std::string text) {
  for (const auto& [from, to] :
       {std::pair<std::string, std::string>{"&lt;", "<"}, {"&gt;", ">"}, {"&amp;", "&"}}) {
    for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
      text.replace(at, from.size(), to);
  }
  return text;
}

TEST_CASE("captions hold every person's spans, and nothing that would end a cue", "[timeline]") {
  const Timeline t = with_wicked_names();
  for (const Layer layer : {Layer::kVisible, Layer::kScenes}) {
    std::istringstream in(captions(t, layer));
    std::string line;
    std::getline(in, line);
    CHECK(line == "WEBVTT");
    std::map<std::string, std::vector<Span>> found;
    while (std::getline(in, line)) {
      REQUIRE(line.empty());
      std::string times, name;
      REQUIRE(std::getline(in, times));
      REQUIRE(std::getline(in, name));
      REQUIRE(times.size() == 29);
      REQUIRE(times.substr(12, 5) == " --> ");
      CHECK(name.find("-->") == std::string::npos);
      const auto begin = parse_clock(times.substr(0, 12)), end = parse_clock(times.substr(17));
      REQUIRE((begin && end && *end > *begin));
      found[unescaped(name)].push_back({ticks_of(*begin, 1000), ticks_of(*end, 1000)});
    }
    const auto people = shown_people(t);
    CHECK(found.size() == people.size());
    for (const std::string& person : people) CHECK(found[person] == layer_of(t, layer, person));
  }
}

TEST_CASE("cues last at least a millisecond", "[timeline]") {
  Timeline t = made_up_timeline(1, {.ticks_per_second = 1000000});
  Track track = t.tracks[0];
  track.verdict = Verdict::kKnown;
  track.person = "Anna";
  track.time = {100, 101};
  t.tracks = {track};
  CHECK(captions(t, Layer::kVisible) == "WEBVTT\n\n00:00:00.000 --> 00:00:00.001\nAnna\n");
}

}  // namespace
}  // namespace uir
