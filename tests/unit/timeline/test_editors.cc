#include "uir/timeline/editors.h"

#include <cstdio>
#include <sstream>

#include "support/catch.h"
#include "support/timelines.h"
#include "uir/base/json.h"

namespace uir {
namespace {

struct Event {
  int64_t source_in, source_out, cut_in, cut_out;
};

struct Cuts {
  std::string title, fcm;
  std::vector<Event> events;
  std::vector<std::string> clips;
};

Cuts parse_cmx(const std::string& text, const FrameClock& clock) {
  Cuts cuts;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("TITLE: ")) cuts.title = line.substr(7);
    if (line.starts_with("FCM: ")) cuts.fcm = line.substr(5);
    if (line.starts_with("* FROM CLIP NAME: ")) cuts.clips.push_back(line.substr(18));
    int number = 0, part[16];
    char mark[4];
    const int read = std::sscanf(
        line.c_str(), "%d AX V C %d:%d:%d%c%d %d:%d:%d%c%d %d:%d:%d%c%d %d:%d:%d%c%d", &number, &part[0],
        &part[1], &part[2], &mark[0], &part[3], &part[4], &part[5], &part[6], &mark[1], &part[7], &part[8],
        &part[9], &part[10], &mark[2], &part[11], &part[12], &part[13], &part[14], &mark[3], &part[15]);
    if (read != 21) continue;
    CHECK(number == static_cast<int>(cuts.events.size()) + 1);
    for (const char c : mark) CHECK(c == (clock.drops() ? ';' : ':'));
    const auto frame = [&](int i) { return clock.frame_at(part[i], part[i + 1], part[i + 2], part[i + 3]); };
    cuts.events.push_back({frame(0), frame(4), frame(8), frame(12)});
  }
  return cuts;
}

Film film_of(int64_t num, int64_t den) {
  Film film;
  film.file = "film, 2.mkv";
  film.ticks_per_second = 90000;
  film.rate_num = num;
  film.rate_den = den;
  film.shown = {0, 90000 * 7200};
  return film;
}

TEST_CASE("cuts for editors hold the frames, whatever the rate", "[timeline]") {
  for (const auto& [num, den] :
       {std::pair<int64_t, int64_t>{25, 1}, {30000, 1001}, {24000, 1001}, {60000, 1001}, {50, 1}}) {
    const Film film = film_of(num, den);
    const FrameClock clock = frame_clock(film);
    Dice dice(static_cast<uint64_t>(num));
    std::vector<Span> frames, spans;
    for (int64_t at = dice.below(100); at < 150000; at += dice.between(1, 2000)) {
      const int64_t length = dice.between(1, 900);
      frames.push_back({at, at + length});
      const auto ticks = [&, num = num, den = den](int64_t frame) {
        return (frame * den * 90000 + num / 2) / num;
      };
      spans.push_back({ticks(at), ticks(at + length)});
      at += length;
    }
    const Cuts cuts = parse_cmx(cmx_edl(film, spans, "Anna"), clock);
    CHECK(cuts.title == "Anna");
    CHECK(cuts.fcm == (clock.drops() ? "DROP FRAME" : "NON-DROP FRAME"));
    REQUIRE(cuts.events.size() == frames.size());
    int64_t cut = clock.frame_at(1, 0, 0, 0);
    for (size_t i = 0; i < frames.size(); ++i) {
      REQUIRE(cuts.events[i].source_in == frames[i].begin);
      REQUIRE(cuts.events[i].source_out == frames[i].end);
      REQUIRE(cuts.events[i].cut_in == cut);
      cut += frames[i].length();
      REQUIRE(cuts.events[i].cut_out == cut);
      CHECK(cuts.clips[i] == "film, 2.mkv");
    }
    const Json json = Json::parse(open_timeline(film, spans, "Anna", "../../film, 2.mkv"));
    for (size_t track = 0; track < 2; ++track) {
      const Json& clips = json.at("tracks").at("children").at(track).at("children");
      REQUIRE(clips.size() == frames.size());
      for (size_t i = 0; i < frames.size(); ++i) {
        const Json& range = clips.at(i).at("source_range");
        REQUIRE(range.at("start_time").at("value") == static_cast<double>(frames[i].begin));
        REQUIRE(range.at("duration").at("value") == static_cast<double>(frames[i].length()));
        REQUIRE(range.at("duration").at("rate") == static_cast<double>(num) / static_cast<double>(den));
      }
      CHECK(clips.at(0).at("media_reference").at("target_url") == "../../film%2C%202.mkv");
    }
  }
}

TEST_CASE("names in cuts for editors", "[timeline]") {
  for (const std::string name : {"A --> B", "O'Neil, \"Kit\"", "a|b=c;d#e\\f", "* FROM CLIP NAME: x"}) {
    CHECK(parse_cmx(cmx_edl(film_of(25, 1), {{0, 90000}}, name), FrameClock{}).title == name);
    CHECK(Json::parse(open_timeline(film_of(25, 1), {{0, 90000}}, name, "f")).at("name") == name);
  }
  CHECK(url_path("\xe7 %.mkv") == "%E7%20%25.mkv");
}

}  // namespace
}  // namespace uir
