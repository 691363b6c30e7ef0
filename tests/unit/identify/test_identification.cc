#include "uir/identify/identification.h"

#include <limits>
#include <map>

#include "drawn_people.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/file_bytes.h"
#include "support/temp_folder.h"
#include "uir/base/file.h"

using namespace uir;

namespace {

Gallery gallery_of(const std::map<std::string, std::array<int, 3>>& colors) {
  Gallery gallery;
  for (const auto& [name, color] : colors) {
    auto pixels = std::make_shared<FacePixels>();
    for (size_t i = 0; i < pixels->size(); ++i) (*pixels)[i] = static_cast<uint8_t>(color[i % 3]);
    gallery.people.push_back({name, {{name + ".png", pixels}}});
  }
  gallery.checksum = concat(colors.size());
  return gallery;
}

struct Case {
  TempFolder folder;
  fs::path film = folder / "film.avi";
  Gallery gallery = gallery_of({{"Red", kRed}});
  TimelineThresholds thresholds{0.9, 0.8, 0.9, 10, "a test"};
  int stop_after = -1;  // so often asked

  Case() {
    write_video(film, draw_film(160, {40, 80, 120},
                                {{kRed, 0, 40, {20, 20}, {1, 0}},
                                 {kGreen, 20, 80, {200, 100}, {-1, 0}},
                                 {kRed, 90, 160, {100, 20}, {0, 1}},
                                 {kBlue, 120, 160, {30, 150}, {1, 0}},
                                 {kGreen, 130, 150, {200, 100}, {0, 0}}}));
  }

  std::vector<Timeline> run(bool resume = false, std::vector<fs::path> films = {}) {
    if (films.empty()) films = {film};
    IdentifyOptions options;
    options.find = finder_of({kRed, kGreen, kBlue});
    options.thresholds = thresholds;
    options.resume = resume;
    options.stop = [this] { return stop_after >= 0 && stop_after-- == 0; };
    Identification identification(options, color_embedder(), gallery, {{"model", "colours"}});
    const std::vector<Timeline> timelines = identification.run(identify_inputs(films, {}));
    identification.publish();
    identification.clean_up();
    return timelines;
  }
  fs::path timeline() const { return folder / "film.timeline"; }
};

std::map<std::string, std::string> files_in(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file())
      files[entry.path().lexically_relative(folder).string()] = read_text_file(entry.path());
  }
  return files;
}

}  // namespace

TEST_CASE("A film gets its timeline", "[identification]") {
  Case one;
  const Timeline timeline = one.run().front();
  CHECK(timeline.film.frames == 160);
  CHECK(timeline.film.rate_num == 25);
  CHECK(timeline.film.constant_rate);
  CHECK(timeline.shots.size() == 4);
  std::map<std::string, int> tracks;
  for (const Track& track : timeline.tracks) ++tracks[shown_name(track)];
  CHECK(tracks == std::map<std::string, int>{{"Red", 3}, {"stranger 1", 3}, {"stranger 2", 1}});
  CHECK(read_timeline(one.timeline()).tracks.size() == 7);
  CHECK(fs::exists(one.timeline() / "timeline.csv"));
  CHECK(fs::exists(one.timeline() / "faces" / "000001.jpg"));
  CHECK_FALSE(fs::exists(one.timeline() / "partial"));
}

TEST_CASE("An analysis that was stopped anywhere ends with the same bytes", "[identification]") {
  Case one;
  one.run();
  const auto whole = files_in(one.timeline());
  int stops = 0;
  for (bool stopped = true; stopped; ++stops) {
    fs::remove_all(one.timeline());
    one.stop_after = stops;
    stopped = kind_of([&] { one.run(); }) == ErrorKind::kStopped;
    one.stop_after = -1;
    if (stopped) {
      const auto error = error_of([&] { one.run(); });
      REQUIRE(error);
      CHECK(error->kind() == ErrorKind::kUsage);
      CHECK_THAT(error->what(), contains_text("--resume"));
      one.run(true);
    }
    CHECK(files_in(one.timeline()) == whole);
  }
  CHECK(stops > 4);
}

TEST_CASE("An analysis that is complete is not made again", "[identification]") {
  Case one;
  one.run();
  const auto whole = files_in(one.timeline());
  // Nothing could be written: a folder stands in the way.
  fs::remove_all(one.timeline());
  fs::create_directories(one.timeline() / "timeline.csv" / "in the way");
  CHECK(error_of([&] { one.run(); }));
  CHECK(fs::exists(one.timeline() / "partial"));
  fs::remove_all(one.timeline() / "timeline.csv");
  one.run(true);
  CHECK(files_in(one.timeline()) == whole);
}

TEST_CASE("Several films that were stopped anywhere end with the same bytes", "[identification]") {
  Case one;
  const fs::path other = one.folder / "other.avi";
  write_video(other, draw_film(60, {30}, {{kBlue, 0, 60, {20, 20}, {1, 0}}}));
  const std::vector<fs::path> films{one.film, other};
  const auto files = [&] {
    return std::pair(files_in(one.timeline()), files_in(one.folder / "other.timeline"));
  };
  one.run(false, films);
  const auto whole = files();
  int stops = 0;
  for (bool stopped = true; stopped; ++stops) {
    fs::remove_all(one.timeline());
    fs::remove_all(one.folder / "other.timeline");
    one.stop_after = stops;
    stopped = kind_of([&] { one.run(false, films); }) == ErrorKind::kStopped;
    one.stop_after = -1;
    if (stopped) one.run(true, films);
    CHECK(files() == whole);
  }
  CHECK(stops > 5);
}

TEST_CASE("Photos that are all looked at are not looked at again", "[identification]") {
  const TempFolder folder;
  const Json question{{"vector_size", 3}};
  Film film;
  film.file = "photos";
  film.shown = {0, 2};
  film.frames = 2;
  film.rate_num = 1;
  {
    PartialAnalysis analysis(folder.path(), question, false);
    for (const char* photo : {"a.jpg", "b.jpg"}) analysis.add_photo(photo, {});
    analysis.complete(film);
  }
  const PartialAnalysis again(folder.path(), question, true);
  CHECK(again.so_far().complete);
  CHECK(again.so_far().timeline.photos == std::vector<std::string>{"a.jpg", "b.jpg"});
  CHECK(again.so_far().timeline.film.shown == film.shown);
}

TEST_CASE("Films of one run share their strangers' numbers", "[identification]") {
  Case one;
  const fs::path other = one.folder / "other.avi";
  write_video(other,
              draw_film(60, {}, {{kBlue, 0, 60, {20, 20}, {1, 0}}, {kGreen, 0, 60, {200, 150}, {0, 0}}}));
  const std::vector<Timeline> timelines = one.run(false, {one.film, other});
  std::map<std::string, int> tracks;
  for (const Track& track : timelines.at(1).tracks) ++tracks[shown_name(track)];
  CHECK(tracks ==
        std::map<std::string, int>{{"stranger 1", 1}, {"stranger 2", 1}});  // green, blue: as in the first
  CHECK(fs::exists(one.folder / "other.timeline" / "timeline.json"));
}

TEST_CASE("Where nobody is named every track keeps its best score, whoever else is there",
          "[identification]") {
  Case one;
  one.gallery = gallery_of({{"Red", kRed}, {"Nearly red", {225, 60, 40}}});
  write_video(one.film,
              draw_film(40, {}, {{kRed, 0, 40, {20, 20}, {0, 0}}, {kGreen, 0, 40, {200, 100}, {0, 0}}}));
  one.thresholds.known = one.thresholds.same_person = std::numeric_limits<double>::infinity();
  one.thresholds.unsure = -std::numeric_limits<double>::infinity();
  const std::vector<Timeline> timelines = one.run();
  REQUIRE(timelines.front().tracks.size() == 2);
  for (const Track& track : timelines.front().tracks) {
    CHECK(track.verdict == Verdict::kUnsure);
    REQUIRE(track.candidates.size() == 2);
    CHECK(track.candidates[0].score >= track.candidates[1].score);
  }
}

TEST_CASE("Parts keep the times of long films", "[identification]") {
  const TempFolder folder;
  const Json question{{"vector_size", 3}};
  constexpr int64_t kSecond = 90'000, kBegin = 7000 * kSecond;
  AnalyzedShot shot;
  shot.time = {kBegin, kBegin + 4 * kSecond};
  shot.following = {shot.time.end, 2, 5, 18'000};
  shot.frames = 100;
  {
    PartialAnalysis analysis(folder.path(), question, false);
    analysis.set_clock(kSecond);
    analysis.add_shot(shot, {});
    analysis.save();
  }
  const PartialAnalysis again(folder.path(), question, true);
  REQUIRE(again.so_far().next);
  CHECK(again.so_far().next->ticks == shot.time.end);
  CHECK(again.so_far().next->fade == 18'000);
  CHECK(again.so_far().timeline.shots.front() == shot.time);
  CHECK(again.so_far().timeline.film.lost == 2);
}

TEST_CASE("Another gallery does not go on with an interrupted analysis", "[identification]") {
  Case one;
  one.stop_after = 2;
  CHECK(fails_with(ErrorKind::kStopped, [&] { one.run(); }));
  one.gallery = gallery_of({{"Red", kRed}, {"Blue", kBlue}});
  const auto error = error_of([&] { one.run(true); });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::kConfig);
  CHECK_THAT(error->what(), contains_text("gallery"));
}

TEST_CASE("Inputs have timelines of their own", "[identification]") {
  const TempFolder folder;
  for (const char* name : {"a.mkv", "a.mp4", "b.mkv"}) write_file_atomically(folder / name, "x");
  const auto inputs = identify_inputs({folder / "a.mkv", folder / "b.mkv"}, folder / "out");
  CHECK(inputs[1].timeline == folder / "out" / "b.timeline");
  CHECK(identify_inputs({folder / "a.mkv"}, folder / "out").front().timeline == folder / "out");
  CHECK(fails_with(ErrorKind::kUsage, [&] { identify_inputs({folder / "a.mkv", folder / "a.mp4"}, {}); }));
  CHECK(fails_with(ErrorKind::kMissingInput, [&] { identify_inputs({folder / "c.mkv"}, {}); }));
  CHECK(fails_with(ErrorKind::kUsage, [&] { identify_inputs({}, {}); }));
}
