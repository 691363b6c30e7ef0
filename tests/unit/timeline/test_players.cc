#include "uir/timeline/players.h"

#include <cstdio>

#include "support/catch.h"
#include "support/timelines.h"
#include "uir/timeline/layers.h"

namespace uir {
namespace {

Film film_of(int64_t tps, int64_t end) {
  Film film;
  film.file = "film.mkv";
  film.ticks_per_second = tps;
  film.shown = {0, end};
  return film;
}

// As mpv's demux_edl.c reads: entries apart by newline or ';', parameters by ',', %n%bytes.
struct Entry {
  std::string file;
  double start, length;
};
std::vector<Entry> parse_mpv(std::string_view text) {
  std::vector<Entry> entries;
  while (!text.empty()) {
    if (text.front() == '#') {
      text.remove_prefix(text.find('\n'));
      continue;
    }
    if (text.front() == '\n' || text.front() == ';') {
      text.remove_prefix(1);
      continue;
    }
    REQUIRE(text.front() == '%');
    const size_t second = text.find('%', 1);
    const auto length = static_cast<size_t>(std::stoi(std::string(text.substr(1, second - 1))));
    Entry entry{std::string(text.substr(second + 1, length)), 0, 0};
    text.remove_prefix(second + 1 + length);
    const size_t end = text.find_first_of("\n;");
    REQUIRE(end != std::string_view::npos);
    REQUIRE(std::sscanf(std::string(text.substr(0, end)).c_str(), ",%lf,%lf", &entry.start, &entry.length) ==
            2);
    entries.push_back(entry);
    text.remove_prefix(end);
  }
  return entries;
}

TEST_CASE("mpv is given start and length, from where it counts", "[timeline]") {
  Film film = film_of(90000, 900000);
  film.container_start = 5 * 90000;  // a transport stream
  const std::vector<Span> spans = {{0, 90000}, {180000, 181800}};
  for (const std::string file : {"../../film.mkv", "a,b;c%d\n.mkv", "\xe7=x.mkv", "# x"}) {
    const std::string text = mpv_edl(film, spans, file);
    CHECK(text.starts_with("# mpv EDL v0\n"));
    const std::string address = mpv_address(film, spans, file);
    REQUIRE(address.starts_with("edl://"));
    for (const auto& entries : {parse_mpv(text), parse_mpv(std::string_view(address).substr(6))}) {
      REQUIRE(entries.size() == 2);
      CHECK(entries[0].file == file);
      CHECK(entries[0].start == 5);
      CHECK(entries[0].length == 1);
      CHECK(entries[1].start == 7);
      CHECK(entries[1].length == Approx(.02));
    }
  }
}

TEST_CASE("Kodi is told what to leave out", "[timeline]") {
  const Film film = film_of(1000, 60000);
  CHECK(kodi_edl(film, {{1500, 2000}, {50000, 60000}}) == "0.000 1.500 0\n2.000 50.000 0\n");
  CHECK(kodi_edl(film, {{0, 10}}) == "0.010 60.000 0\n");
}

// As FFmpeg reads: a line may go on behind an escaped newline; key and value are apart by the first '=' that
// is not escaped.
std::vector<std::string> titles_of(const std::string& text) {
  std::vector<std::string> titles;
  std::string line;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      line += text[++i];
    } else if (text[i] == '\n') {
      if (line.starts_with("title=")) titles.push_back(line.substr(6));
      line.clear();
    } else {
      REQUIRE((line.find("title=") != 0 || std::string_view("=;#").find(text[i]) == std::string_view::npos ||
               line.size() < 6));
      line += text[i];
    }
  }
  return titles;
}

TEST_CASE("chapters carry any name", "[timeline]") {
  const Film film = film_of(1000, 60000);
  CHECK(chapters(film, {{1, 2}}, "Anna") ==
        ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=1\nEND=2\ntitle=Anna 1\n");
  for (const std::string& name : wicked_names())
    CHECK(titles_of(chapters(film, {{1, 2}, {5, 9}}, name)) ==
          std::vector<std::string>{name + " 1", name + " 2"});
}

}  // namespace
}  // namespace uir
