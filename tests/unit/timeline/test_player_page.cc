#include "uir/timeline/player_page.h"

#include <cstdlib>

#include "support/catch.h"
#include "support/temp_folder.h"
#include "uir/timeline/page_data.h"
#include "uir/timeline/player_assets.h"
#include "uir/base/quoting.h"

namespace uir {
namespace {

const std::vector<std::string> kHostile{"</script><script>alert(1)</script>",
                                        "--> <!-- ]]>",
                                        "a\"b'c\\d&amp;",
                                        "line\nbreak\ttab",
                                        "\xD7\xA9\xE2\x80\xAE evil \xE2\x80\xA8",
                                        std::string(500, 'x'),
                                        ""};

Track track_of(int64_t id, Span time, Verdict verdict, const std::string& person, int64_t stranger = 0) {
  Track track;
  track.id = id;
  track.time = time;
  track.verdict = verdict;
  track.person = person;
  track.stranger = stranger;
  track.sights = {{time.begin, {1.4F, 2.6F, 30, 40}}, {time.end - 1, {5, 6, 35, 46}}};
  track.candidates = {{"Anna", .71239}};
  return track;
}

Timeline a_film() {
  Timeline timeline;
  timeline.film.file = "film & <b>.mkv";
  timeline.film.bytes = 1234;
  timeline.film.ticks_per_second = 90000;
  timeline.film.shown = {45000, 900000};
  timeline.film.width = 1280;
  timeline.film.height = 720;
  return timeline;
}

std::string between(const std::string& text, const std::string& begin, const std::string& end) {
  const size_t from = text.find(begin);
  REQUIRE(from != std::string::npos);
  const size_t to = text.find(end, from + begin.size());
  REQUIRE(to != std::string::npos);
  return text.substr(from + begin.size(), to - from - begin.size());
}

// As a browser finds it: up to the first end of a script.
Json data_of(const std::string& page) {
  return Json::parse(between(page, "<script type=\"application/json\" id=\"data\">", "</script"));
}

size_t count_of(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST_CASE("names of any kind stand in the page as text and read back") {
  Timeline timeline = a_film();
  std::vector<PersonLine> lines;
  for (const std::string& name : kHostile) {
    const int64_t begin = 45000 + 9000 * std::ssize(lines);
    timeline.tracks.push_back(track_of(std::ssize(lines) + 1, {begin, begin + 9000}, Verdict::kKnown, name));
    lines.push_back({name, Verdict::kKnown, {{begin, begin + 9000}}, {{0, 900000}}, {}});
  }
  const std::string page = player_page(timeline, lines);
  CHECK(count_of(page, "<script") == 2);
  CHECK(count_of(page, "</script") == 2);
  CHECK(count_of(page, "<!--") == 0);
  CHECK(count_of(page, "]]>") == 1);
  CHECK_THAT(page, contains_text("<title>film &amp; &lt;b&gt;.mkv</title>"));
  const Json data = data_of(page);
  REQUIRE(data["people"].size() == kHostile.size());
  for (size_t i = 0; i < kHostile.size(); ++i) {
    CHECK(data["people"][i]["name"] == kHostile[i]);
    CHECK(data["tracks"][i]["line"] == i);
  }
}

TEST_CASE("names that are no UTF-8 are shown readable, their addresses hold every byte") {
  Timeline timeline = a_film();
  timeline.film.file =
      "fa\xE7"
      "ade.mkv";
  timeline.tracks.push_back(track_of(1, {45000, 90000}, Verdict::kKnown, "Ren\xE9"));
  const Json data = data_of(player_page(timeline, {{"Ren\xE9", Verdict::kKnown, {}, {}, {}}}));
  CHECK(data["people"][0]["name"] == "Ren\\xe9");
  CHECK(data["film"]["file"] ==
        "fa\\xe7"
        "ade.mkv");
  CHECK(data["film"]["url"] == "../fa%E7ade.mkv");
  CHECK(data["tracks"][0]["line"] == 0);
}

TEST_CASE("the policy stands before all data, and lets nothing but the film and pictures of the page in") {
  const std::string page = player_page(a_film(), {});
  const size_t policy = page.find("Content-Security-Policy");
  CHECK(policy < page.find("id=\"data\""));
  CHECK(policy > page.find("class Player"));  // the page's own script is the only one before it
  CHECK_THAT(page,
             contains_text("content=\"default-src 'none'; img-src data:; media-src 'self' file: blob:\""));
  CHECK(count_of(page, "style=\"") == 0);
  CHECK(count_of(page, "http://") + count_of(page, "https://") == 2);  // names: of XHTML and of SVG
}

TEST_CASE("people are shown by kind, then by the time visible; tracks find theirs") {
  const auto line = [](const char* name, Verdict verdict, int64_t length) {
    return PersonLine{name, verdict, {{45000, 45000 + length}}, {}, {}};
  };
  Timeline timeline = a_film();
  timeline.tracks = {track_of(1, {45000, 46000}, Verdict::kKnown, "stranger 2"),
                     track_of(2, {45000, 46000}, Verdict::kStranger, "", 2),
                     track_of(3, {45000, 46000}, Verdict::kUnsure, ""),
                     track_of(4, {45000, 46000}, Verdict::kTooSmall, ""),
                     track_of(5, {45000, 46000}, Verdict::kStranger, "", 7),
                     track_of(6, {45000, 46000}, Verdict::kKnown, "Bo")};
  const Json data = Json::parse(page_data(
      timeline,
      in_order_shown({line("?", Verdict::kTooSmall, 90000), line("?", Verdict::kUnsure, 9000),
                      line("stranger 2", Verdict::kStranger, 9000), line("stranger 2", Verdict::kKnown, 900),
                      line("Bo", Verdict::kKnown, 1000)})));
  std::string order;
  for (const Json& person : data["people"]) order += person["kind"].get<std::string>() + " ";
  CHECK(order == "known known stranger unsure small ");
  CHECK(data["people"][0]["name"] == "Bo");
  std::vector<int64_t> places;
  for (const Json& track : data["tracks"]) places.push_back(track["line"]);
  CHECK(places == std::vector<int64_t>{1, 2, 3, 4, -1, 0});
}

TEST_CASE("tracks and pictures as the script reads them") {
  Timeline timeline = a_film();
  timeline.tracks = {track_of(9, {45000, 54000}, Verdict::kKnown, "Anna")};
  const Json data = Json::parse(page_data(
      timeline,
      {{"Anna", Verdict::kKnown, {{45000, 54000}}, {{45000, 60000}, {70000, 80000}}, {"\xFF\xD8"}}}));
  CHECK(data["tracks"][0]["sights"] == Json({45000, 1, 3, 30, 40, 53999, 5, 6, 35, 46}));
  CHECK(data["tracks"][0]["candidates"] == Json::array({{"Anna", .7124}}));
  CHECK(data["people"][0]["scenes"] == Json({45000, 60000, 70000, 80000}));
  CHECK(data["people"][0]["pictures"] == Json({"data:image/jpeg;base64,/9g="}));
  CHECK(data["film"]["begin"] == 45000);
}

TEST_CASE("photos have a page of their own") {
  Timeline timeline;
  timeline.film.file = "my photos";
  timeline.photos = {"a b/c#1.jpg", "d.jpg"};
  timeline.tracks = {track_of(1, {1, 2}, Verdict::kKnown, kHostile[0])};
  const std::string page = photos_page(timeline, {{kHostile[0], Verdict::kKnown, {{1, 2}}, {{1, 2}}, {}}});
  const Json data = data_of(page);
  CHECK(data["photos"][0]["url"] == "../my%20photos/a%20b/c%231.jpg");
  CHECK(data["tracks"][0]["line"] == 0);
  CHECK_THROWS_AS(player_page(timeline, {}), Error);
  CHECK_THROWS_AS(photos_page(a_film(), {}), Error);
}

TEST_CASE("what is embedded can be embedded") {
  for (const std::string_view script :
       {kSpansScript, kClockScript, kLinesScript, kFacesScript, kPlayerScript, kPhotosScript}) {
    CHECK(script.find("]]>") == std::string_view::npos);
    CHECK(script.find("</script") == std::string_view::npos);
    CHECK(script.find("<!--") == std::string_view::npos);
  }
}

TEST_CASE("names are one word for a shell and one part of an address") {
  CHECK(shell_quoted("film.mkv") == "film.mkv");
  CHECK(shell_quoted("my film.mkv") == "'my film.mkv'");
  CHECK(shell_quoted("it's") == "'it'\\''s'");
  CHECK(shell_quoted("") == "''");
  CHECK(shell_quoted("a\nb'\\\xE7") == "$'a\\012b\\'\\\\\\347'");
  CHECK(url_encoded("a b#?%/\xC3\xA9~.mkv") == "a%20b%23%3F%25%2F%C3%A9~.mkv");
}

TEST_CASE("a shell reads quoted names as they are") {
  const TempFolder folder;
  for (std::string name : kHostile) {
    name += "$(x)`y` \x01\xFF*~!";
    const fs::path out = folder.path() / "word";
    const std::string script = "printf %s " + shell_quoted(name) + " >" + shell_quoted(out.string());
    write_file_atomically(folder.path() / "script", script);
    REQUIRE(std::system(("bash " + shell_quoted((folder.path() / "script").string())).c_str()) == 0);
    CHECK(read_text_file(out) == name);
  }
}

TEST_CASE("the command for a copy that browsers play") {
  const FilmCopy copy = playable_copy("-my film.ts");
  CHECK(copy.file == "-my film.browser.mp4");
  CHECK_THAT(copy.command, contains_text("ffmpeg -i 'file:-my film.ts' "));
  CHECK_THAT(copy.command, contains_text(" 'file:-my film.browser.mp4'"));
  CHECK(playable_copy("noending").file == "noending.browser.mp4");
}

}  // namespace
TEST_CASE("The page finds the film where it lies", "[page]") {
  Timeline timeline = a_film();
  const auto url = [&] { return data_of(player_page(timeline, {})).at("film").at("url"); };
  CHECK(url() == "../film%20%26%20%3Cb%3E.mkv");
  timeline.film.path = "../../other films/a b.mkv";
  CHECK(url() == "../../other%20films/a%20b.mkv");
  timeline.film.path = "/films/c.mkv";
  CHECK(url() == "file:///films/c.mkv");
}

}  // namespace uir
