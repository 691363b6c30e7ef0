#include "uir/timeline/timeline.h"

#include "support/catch.h"
#include "support/errors.h"
#include "support/file_bytes.h"
#include "support/temp_folder.h"
#include "support/timelines.h"
#include "uir/timeline/names.h"
#include "uir/timeline/number_rows.h"

namespace uir {
namespace {

TEST_CASE("timelines are read as they were written, to the byte", "[timeline]") {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Timeline timeline = made_up_timeline(seed);
    timeline.tracks[3].found = Found{Verdict::kStranger, "", 7};
    timeline.tracks[3].by_hand = true;
    timeline.tracks[4].part_of = 2;
    timeline.uncut = {timeline.tracks[1]};
    timeline.film.path = seed == 1 ? "../\xe7.mkv" : "../film.mkv";
    const std::string text = timeline_text(timeline);
    const Timeline read = parse_timeline(text, "here");
    CHECK(timeline_text(read) == text);
    CHECK(read.film.path == timeline.film.path);
    CHECK(read.tracks.size() == timeline.tracks.size());
    CHECK(read.tracks[5].sights[2].box == timeline.tracks[5].sights[2].box);
    CHECK(read.tracks[5].faces[1].weight == timeline.tracks[5].faces[1].weight);
    CHECK(to_json(timeline) == Json::parse(text));
    // Whatever its layout.
    CHECK(timeline_text(parse_timeline(to_json(timeline).dump(2), "here")) == text);
  }
}

TEST_CASE("what is no timeline is refused with its place", "[timeline]") {
  const Timeline timeline = made_up_timeline(3);
  const std::string text = timeline_text(timeline);
  const auto message = [&](const std::string& from, const std::string& to) {
    std::string changed = text;
    const size_t at = changed.find(from);
    REQUIRE(at != std::string::npos);
    changed.replace(at, from.size(), to);
    const auto error = error_of([&] { parse_timeline(changed, "t.json"); });
    REQUIRE(error);
    CHECK(error->kind() == ErrorKind::kData);
    return std::string(error->what());
  };
  CHECK_THAT(message("uir-timeline", "other"), contains_text("t.json: is no timeline"));
  CHECK_THAT(message("\"version\":1", "\"version\":2"), contains_text("version 2"));
  CHECK_THAT(message("\"bytes\":123456", "\"bytes\":\"x\""),
             contains_text("t.json: film: field 'bytes' is no whole number"));
  CHECK_THAT(message("\"bytes\":123456,", ""), contains_text("'bytes'"));
  CHECK_THAT(message("\"bytes\":123456", "\"bytes\":1,\"more\":2"), contains_text("14 fields, 13 are known"));
  CHECK_THAT(message("\"ticks_per_second\":1000", "\"ticks_per_second\":0"), contains_text("clock"));
  CHECK_THAT(message("\"id\":2,", "\"id\":1,"), contains_text("track 2 (#1): ids do not ascend"));
  CHECK_THAT(message("\"shots\":[[0,6000]", "\"shots\":[[0,5999]"),
             contains_text("shots: one begins at 6000"));
  CHECK_THAT(message("\"verdict\":\"known\"", "\"verdict\":\"certain\""), contains_text("verdict 'certain'"));
  CHECK_THAT(message("\"verdict\":\"known\"", "\"verdict\":\"unsure\""),
             contains_text("a person belongs to"));
  for (const char* hidden : {"[0,1]", "[[5,4]]", "[[0,99999999]]", "[[-9,-5]]"})
    CHECK_THAT(message("\"shot\":", concat("\"hidden\":", hidden, ",\"shot\":")), contains_text("hidden"));
  CHECK_THAT(message("\"sights\":[[", "\"sights\":[[1,"), contains_text("no array of arrays of 5 numbers"));
  CHECK_THAT(message("\"sights\":[[", "\"sights\":[[1,"), contains_text("t.json:"));
  CHECK_THAT(message("\"sights\":[[", "\"sights\":7,\"x\":[[["), contains_text("'sights' is no array"));
  CHECK_THAT(message("\"faces\":[[", "\"faces\":[[0.5,0,0],["), contains_text("0.5 is no whole number"));
  CHECK_THAT(message("\"Anna\"", "\"An\\nna\""), contains_text("one line of text"));
  CHECK_THAT(
      message("\"made_by\":{", "\"made_by\":" + std::string(80, '[') + std::string(80, ']') + ",\"x\":{"),
      contains_text("nested deeper"));
  CHECK_THAT(message("\"tracks\":[",
                     "\"tracks\":["
                     "1,"),
             contains_text("track 1: is no object"));
  for (size_t end = 0; end < text.size(); end += 97) {
    CHECK(fails_with(ErrorKind::kData, [&] { parse_timeline(text.substr(0, end), "t.json"); }));
  }
}

TEST_CASE("numbers in rows are the nearest doubles", "[timeline]") {
  for (const std::string number :
       {"0", "-0", "7", "0.1", "1.005", "512.3", "0.000000000000001", "9007199254740993", "1e3", "-2.5e-7",
        "123456789012345.6", "0.30000000000000004", "99999999999.9999"}) {
    const auto taken = take_rows("{\"x\":[[" + number + " , 1]]}", {{"x", 2}}, "here");
    REQUIRE(taken.taken.size() == 1);
    CHECK(taken.text == "{\"x\":0}");
    CHECK(taken.taken[0].numbers == std::vector<double>{std::stod(number), 1});
  }
  for (const std::string number : {"", ".", "1..2", "1.2.3", "+1", "nan", "inf", "1e", "1e999", "0x1", "--1"})
    CHECK(fails_with(ErrorKind::kData, [&] { take_rows("{\"x\":[[" + number + "]]}", {{"x", 1}}, "here"); }));
  CHECK(take_rows(R"({"y":"x","x":[],"a\"x":[[1]]})", {{"x", 2}}, "here").text ==
        R"({"y":"x","x":0,"a\"x":[[1]]})");
}

TEST_CASE("a folder without a timeline is told so", "[timeline]") {
  const TempFolder folder;
  CHECK(fails_with(ErrorKind::kMissingInput, [&] { read_timeline(folder.path()); }));
  CHECK(fails_with(ErrorKind::kMissingInput, [&] { read_timeline(folder / "none"); }));
}

TEST_CASE("a track is to be seen but where it is hidden", "[timeline]") {
  Track track;
  track.time = {10, 50};
  track.hidden = {{20, 25}, {30, 31}};
  CHECK(seen_spans(track) == std::vector<Span>{{10, 20}, {25, 30}, {31, 50}});
  for (int64_t ticks = 0; ticks < 60; ++ticks) {
    const bool seen =
        (ticks >= 10 && ticks < 20) || (ticks >= 25 && ticks < 30) || (ticks >= 31 && ticks < 50);
    CHECK(is_seen_at(track, ticks) == seen);
  }
  const auto part = [&](Span time) {
    std::vector<Span> hidden = track.hidden;
    cut_off_hidden(time, hidden);
    return std::pair(time, hidden);
  };
  using Spans = std::vector<Span>;
  CHECK(part({10, 27}) == std::pair(Span{10, 27}, Spans{{20, 25}}));
  CHECK(part({27, 50}) == std::pair(Span{27, 50}, Spans{{30, 31}}));
  for (const int64_t at : {20, 22, 25}) {  // at either end of what is hidden, or within
    CHECK(part({10, at}) == std::pair(Span{10, 20}, Spans{}));
    CHECK(part({at, 50}) == std::pair(Span{25, 50}, Spans{{30, 31}}));
  }
}

TEST_CASE("the names of tracks", "[timeline]") {
  Track track;
  CHECK(shown_name(track) == "?");
  track.verdict = Verdict::kStranger;
  CHECK(shown_name(track) == "?");
  track.stranger = 3;
  CHECK(shown_name(track) == "stranger 3");
  track.verdict = Verdict::kKnown;
  track.person = "Anna";
  CHECK(shown_name(track) == "Anna");
}

TEST_CASE("a film of two hours is what was written, read again", "[timeline]") {
  const Timeline timeline = made_up_timeline(
      1, {.seconds = 7200, .shots = 1500, .tracks = 4000, .sights = 60, .ticks_per_second = 90000});
  const std::string text = timeline_text(timeline);
  const Timeline read = parse_timeline(text, "here");
  CHECK(read.tracks.size() == 4000);
  CHECK(timeline_text(read) == text);
}

TEST_CASE("names become safe for files, each its own", "[timeline]") {
  const auto files = safe_file_names(
      {"AC/DC", "AC\\DC", "ac/dc", "..", ".hidden", "con.x", "Zoë", "a:b*c", "-rf", "x.", ""});
  CHECK(files == std::vector<std::string>{"AC_DC", "AC_DC (2)", "ac_dc (3)", "_", "_.hidden", "_con.x", "Zoë",
                                          "a_b_c", "_-rf", "x", "_ (2)"});
  const std::string umlauts = [] {
    std::string text;
    for (int i = 0; i < 80; ++i) text += "ü";
    return text;
  }();
  const std::string cut = safe_file_names({umlauts})[0];
  CHECK(cut.size() == 100);
  CHECK(is_clean_name(cut));
}

TEST_CASE("names that nobody can have are refused", "[timeline]") {
  for (const std::string name : {"", "?", "stranger 3", "#12", " a", "a ", "a\nb", "\xe7"})
    CHECK(fails_with(ErrorKind::kUsage, [&] { check_person_name(name); }));
  for (const std::string name : {"Anna", "stranger", "stranger x", "#", "00:41", "A --> B"})
    CHECK_NOTHROW(check_person_name(name));
}

TEST_CASE("names are made clean on their way out", "[timeline]") {
  Timeline timeline = made_up_timeline(2);
  timeline.people[0].name = "two\nlines";
  timeline.people[1].name = "\xe7\x61";
  timeline.people[2].name = "a\xe2\x80\xa8z";
  clean_names(timeline);
  CHECK(timeline.people[0].name == "two\\nlines");
  CHECK(timeline.people[1].name == "\\xe7a");
  CHECK(timeline.people[2].name == "a z");
}

}  // namespace
}  // namespace uir
