#include "uir/timeline/edits.h"

#include <map>

#include "support/catch.h"
#include "support/errors.h"
#include "support/file_bytes.h"
#include "support/temp_folder.h"
#include "support/timelines.h"
#include "uir/base/log.h"
#include "uir/timeline/answers.h"
#include "uir/timeline/corrections.h"
#include "uir/timeline/layers.h"
#include "uir/timeline/writer.h"

namespace uir {
namespace {

std::map<std::string, std::string> outputs_of(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string name = fs::relative(entry.path(), folder).string();
    if (entry.is_regular_file() && name != "edits.jsonl") files[name] = read_bytes(entry.path());
  }
  return files;
}

void undo(const fs::path& folder) {
  correct(folder, [&](const Timeline&) { return undo_edit(folder); });
}

const Track& track_of(const Timeline& t, int64_t id) {
  for (const Track& track : t.tracks) {
    if (track.id == id) return track;
  }
  throw std::runtime_error("no such track");
}

std::string seconds_of_middle(const Track& track) {
  return concat(static_cast<double>(track.sights[track.sights.size() / 2].ticks) / 1000);
}

// Somebody that can be meant.
std::string any_who(const Timeline& t, Dice& dice) {
  const auto people = shown_people(t);
  if (dice.below(2) == 0 && !people.empty())
    return people[static_cast<size_t>(dice.below(static_cast<int64_t>(people.size())))];
  return concat('#', t.tracks[static_cast<size_t>(dice.below(static_cast<int64_t>(t.tracks.size())))].id);
}

Edit any_edit(const Timeline& t, Dice& dice) {
  const std::string who = any_who(t, dice);
  switch (dice.below(4)) {
    case 0:
      return name_edit(t, who, dice.below(2) == 0 ? "Ben" : concat("by hand ", dice.below(3)));
    case 1:
      return not_edit(t, who, std::nullopt);
    case 2:
      return merge_edit(t, who, any_who(t, dice));
    default: {
      const Track& track = t.tracks[static_cast<size_t>(dice.below(static_cast<int64_t>(t.tracks.size())))];
      return split_edit(t, concat('#', track.id), seconds_of_middle(track));
    }
  }
}

TEST_CASE("any corrections, all undone, leave every byte as it was", "[timeline]") {
  int done = 0;
  for (uint64_t seed = 0; seed < 12; ++seed) {
    const TempFolder folder;
    Dice dice(seed + 77);
    write_timeline(folder.path(), made_up_timeline(seed));
    std::vector<std::map<std::string, std::string>> states = {outputs_of(folder.path())};
    for (int step = 0; step < 12; ++step) {
      if (states.size() > 1 && dice.below(4) == 0) {
        undo(folder.path());
        states.pop_back();
        REQUIRE(outputs_of(folder.path()) == states.back());
        continue;
      }
      try {
        correct(folder.path(), [&](const Timeline& t) { return any_edit(t, dice); });
      } catch (const Error& e) {
        REQUIRE(e.kind() == ErrorKind::kUsage);  // the same two, a track too short to cut
        REQUIRE(outputs_of(folder.path()) == states.back());
        continue;
      }
      ++done;
      states.push_back(outputs_of(folder.path()));
      // The same analysis again: the same corrections hold.
      write_timeline(folder.path(), made_up_timeline(seed));
      REQUIRE(outputs_of(folder.path()) == states.back());
    }
    while (states.size() > 1) {
      undo(folder.path());
      states.pop_back();
      REQUIRE(outputs_of(folder.path()) == states.back());
    }
    CHECK(fails_with(ErrorKind::kUsage, [&] { undo(folder.path()); }));
  }
  CHECK(done > 60);
}

class Corrected {
 public:
  explicit Corrected(const Timeline& analysis) { write_timeline(folder_.path(), analysis); }
  template <class Make>
  Timeline operator()(const Make& make) {
    return correct(folder_.path(), make);
  }
  const fs::path& path() const { return folder_.path(); }

 private:
  TempFolder folder_;
};

// Strangers 1 (tracks 1, 4), 2 (track 2), Anna (tracks 3, 5), nobody (track 6), one after the other.
Timeline six_tracks() {
  Timeline t;
  t.film.file = "film.mkv";
  t.film.ticks_per_second = 1000;
  t.film.rate_num = 25;
  t.film.shown = {0, 60000};
  t.shots = {{0, 60000}};
  t.people = {{"Anna", 2}};
  for (int64_t i = 0; i < 6; ++i) {
    Track track;
    track.id = i + 1;
    track.time = {i * 10000, i * 10000 + 8000};
    for (int64_t k = 0; k < 8; ++k)
      track.sights.push_back({track.time.begin + k * 1000, {100, 100, 200, 220}});
    track.faces = {{track.time.begin, .5, i}};
    track.verdict = i == 5 ? Verdict::kUnsure : i == 2 || i == 4 ? Verdict::kKnown : Verdict::kStranger;
    if (track.verdict == Verdict::kKnown) track.person = "Anna";
    if (track.verdict == Verdict::kStranger) track.stranger = i == 1 ? 2 : 1;
    track.candidates = {{"Anna", .5}};
    t.tracks.push_back(track);
  }
  return t;
}

TEST_CASE("what each correction does", "[timeline]") {
  Corrected corrected(six_tracks());
  Timeline t = corrected([](const Timeline& now) { return name_edit(now, "stranger 1", "Bob"); });
  CHECK(labels_of(t) ==
        Labels{{1, "Bob"}, {2, "stranger 2"}, {3, "Anna"}, {4, "Bob"}, {5, "Anna"}, {6, "?"}});
  CHECK(track_of(t, 1).by_hand);
  CHECK_FALSE(track_of(t, 2).by_hand);
  t = corrected([](const Timeline& now) { return not_edit(now, "00:00:21", "Anna"); });
  CHECK(labels_of(t) ==
        Labels{{1, "Bob"}, {2, "stranger 2"}, {3, "stranger 3"}, {4, "Bob"}, {5, "Anna"}, {6, "?"}});
  t = corrected([](const Timeline& now) { return merge_edit(now, "stranger 2", "stranger 3"); });
  CHECK(labels_of(t) ==
        Labels{{1, "Bob"}, {2, "stranger 2"}, {3, "stranger 2"}, {4, "Bob"}, {5, "Anna"}, {6, "?"}});
  t = corrected([](const Timeline& now) { return merge_edit(now, "stranger 2", "Anna"); });
  CHECK(labels_of(t) == Labels{{1, "Bob"}, {2, "Anna"}, {3, "Anna"}, {4, "Bob"}, {5, "Anna"}, {6, "?"}});
  undo(corrected.path());
  t = corrected([](const Timeline& now) { return split_edit(now, "stranger 2", "00:00:11"); });
  CHECK(labels_of(t) ==
        Labels{{1, "Bob"}, {2, "stranger 4"}, {3, "stranger 2"}, {4, "Bob"}, {5, "Anna"}, {6, "?"}});
  t = corrected([](const Timeline& now) { return split_edit(now, "#5", "43.5"); });
  CHECK(labels_of(t).at(7) == "Anna");
  CHECK(track_of(t, 5).time == Span{40000, 43500});
  CHECK(track_of(t, 7).time == Span{43500, 48000});
  CHECK(track_of(t, 5).sights.size() == 4);
  CHECK(track_of(t, 7).sights.size() == 4);
  t = corrected([](const Timeline& now) { return name_edit(now, "#7", "Cleo"); });
  t = corrected([](const Timeline& now) { return name_edit(now, "55", "Dora"); });
  CHECK(labels_of(t) == Labels{{1, "Bob"},
                               {2, "stranger 4"},
                               {3, "stranger 2"},
                               {4, "Bob"},
                               {5, "Anna"},
                               {6, "Dora"},
                               {7, "Cleo"}});
  CHECK(timeline_text(read_timeline(corrected.path())) == timeline_text(t));
}

// The same people in other tracks: ids run backwards, tracks are cut elsewhere, boxes a little off, groups
// numbered anew.
TEST_CASE("corrections survive a new analysis", "[timeline]") {
  Corrected corrected(six_tracks());
  corrected([](const Timeline& now) { return name_edit(now, "stranger 1", "Bob"); });
  corrected([](const Timeline& now) { return not_edit(now, "#3", std::nullopt); });
  corrected([](const Timeline& now) { return split_edit(now, "#5", "43.5"); });
  corrected([](const Timeline& now) { return name_edit(now, "45", "Cleo"); });
  Timeline anew = six_tracks();
  std::vector<Track> tracks;
  int64_t id = 0;
  for (Track track : anew.tracks) {
    for (Sight& sight : track.sights) sight.box = {104, 96, 207, 215};
    if (track.stranger > 0) track.stranger = track.stranger == 1 ? 9 : 1;
    Track second = track;
    track.time.end -= 5000;
    std::erase_if(track.sights, [&](const Sight& s) { return s.ticks >= track.time.end; });
    second.time.begin += 3000;
    std::erase_if(second.sights, [&](const Sight& s) { return s.ticks < second.time.begin; });
    track.id = ++id;
    second.id = ++id;
    track.picture = second.picture = "";
    tracks.push_back(track);
    tracks.push_back(second);
  }
  anew.tracks = tracks;
  Track more = anew.tracks[0];  // one more of the first group, where none was seen before
  more.id = 13;
  more.time = {58500, 60000};
  more.sights = {{58500, {1000, 100, 1100, 200}}};
  anew.tracks.push_back(more);
  const auto problems = write_timeline(corrected.path(), anew);
  CHECK(problems.empty());
  const Timeline t = read_timeline(corrected.path());
  const Labels expected = {{1, "Bob"},         {2, "Bob"},         {3, "stranger 1"}, {4, "stranger 1"},
                           {5, "stranger 10"}, {6, "stranger 10"}, {7, "Bob"},        {8, "Bob"},
                           {9, "Anna"},        {10, "Anna"},       {11, "?"},         {12, "?"},
                           {13, "Bob"},        {14, "Cleo"}};
  CHECK(labels_of(t) == expected);
  CHECK(track_of(t, 14).time == Span{43500, 48000});
  // Groups that a new analysis throws together are not taken as a whole.
  for (Track& track : anew.tracks) {
    if (track.verdict != Verdict::kKnown) {
      track.verdict = Verdict::kStranger;
      track.stranger = 1;
    }
  }
  write_timeline(corrected.path(), anew);
  CHECK(labels_of(read_timeline(corrected.path())).at(13) == "stranger 1");
}

TEST_CASE("a correction that finds nobody is said, kept, and does nothing", "[timeline]") {
  Corrected corrected(six_tracks());
  corrected([](const Timeline& now) { return name_edit(now, "stranger 2", "Bob"); });
  Timeline anew = six_tracks();
  anew.tracks.erase(anew.tracks.begin() + 1);
  const std::string log = read_bytes(corrected.path() / "edits.jsonl");
  const auto problems = write_timeline(corrected.path(), anew);
  REQUIRE(problems.size() == 1);
  CHECK_THAT(problems[0],
             contains_text("correction 1 (of stranger 2): no face is where it was, first at 00:00:11.000"));
  CHECK(read_bytes(corrected.path() / "edits.jsonl") == log);
  CHECK(labels_of(read_timeline(corrected.path())) == labels_of(anew));
  CHECK(write_timeline(corrected.path(), six_tracks()).empty());
  CHECK(labels_of(read_timeline(corrected.path())).at(2) == "Bob");
}

TEST_CASE("whom nobody can mean is refused, with what there is", "[timeline]") {
  Timeline t = six_tracks();
  t.tracks[1].time = {1000, 9000};
  for (Sight& sight : t.tracks[1].sights) sight.ticks -= 9000;
  t.tracks[0].time.begin = 0;
  const auto refused = [&](const auto& make) {
    const auto error = error_of([&] { make(); });
    REQUIRE(error);
    CHECK(error->kind() == ErrorKind::kUsage);
    return std::string(error->what());
  };
  CHECK_THAT(refused([&] { name_edit(t, "Zoe", "Bob"); }),
             contains_text("there are Anna, stranger 1, stranger 2"));
  CHECK_THAT(refused([&] { name_edit(t, "#99", "Bob"); }),
             contains_text("there is no track #99: they are #1 to #6"));
  CHECK_THAT(refused([&] { name_edit(t, "2", "Bob"); }),
             contains_text("several people are visible at 2: stranger 1 (#1), stranger 2 (#2)"));
  CHECK_THAT(refused([&] { name_edit(t, "00:00:19", "Bob"); }), contains_text("nobody is visible"));
  CHECK_THAT(refused([&] { name_edit(t, "00:09:19", "Bob"); }),
             contains_text("behind the film's end at 00:01:00.000"));
  CHECK_THAT(refused([&] { name_edit(t, "Anna", "stranger 7"); }), contains_text("how strangers are called"));
  CHECK_THAT(refused([&] { not_edit(t, "#1", "Anna"); }),
             contains_text("#1 is not said to be 'Anna' but 'stranger 1'"));
  CHECK_THAT(refused([&] { merge_edit(t, "Anna", "Anna"); }), contains_text("the same already"));
  CHECK_THAT(refused([&] { split_edit(t, "#3", "00:00:20"); }), contains_text("both parts must show a face"));
  CHECK_THAT(refused([&] { split_edit(t, "Anna", "1"); }), contains_text("Anna is not visible at 1"));
  CHECK(not_edit(t, "2", "stranger 2").at.anchors.size() == 3);
}

TEST_CASE("faces of photos are corrected by the photos' names", "[timeline]") {
  Timeline t;
  t.photos = {"a.jpg", "b.jpg"};
  t.film.file = "photos";
  t.film.shown = {0, 2};
  for (int64_t i = 0; i < 2; ++i) {
    Track track;
    track.id = i + 1;
    track.time = {i, i + 1};
    track.sights = {{i, {10, 10, 50, 60}}};
    track.verdict = Verdict::kStranger;
    track.stranger = 1;
    t.tracks.push_back(track);
  }
  Corrected corrected(t);
  const Timeline now = corrected([](const Timeline& shown) { return name_edit(shown, "b.jpg", "Bob"); });
  CHECK(labels_of(now) == Labels{{1, "stranger 1"}, {2, "Bob"}});
  CHECK(fails_with(ErrorKind::kUsage, [&] {
    corrected([](const Timeline& shown) { return split_edit(shown, "#1", "a.jpg"); });
  }));
  // A photo more in front.
  t.photos.insert(t.photos.begin(), "0.jpg");
  t.film.shown.end = 3;
  for (Track& track : t.tracks) {
    track.time = {track.time.begin + 1, track.time.end + 1};
    track.sights[0].ticks += 1;
  }
  CHECK(write_timeline(corrected.path(), t).empty());
  CHECK(labels_of(read_timeline(corrected.path())) == Labels{{1, "stranger 1"}, {2, "Bob"}});
}

TEST_CASE("a damaged log is refused with its line", "[timeline]") {
  Corrected corrected(six_tracks());
  corrected([](const Timeline& now) { return name_edit(now, "stranger 2", "Bob"); });
  const fs::path file = corrected.path() / "edits.jsonl";
  const std::string good = read_bytes(file);
  for (const std::string bad :
       {"x", "{}", "{\"edit\":\"rename\"}", "{\"edit\":\"name\",\"who\":\"a\"}", "[]",
        "{\"edit\":\"name\",\"who\":\"a\",\"name\":\"b\",\"at\":{\"group\":true,\"places\":[[1,2]]}}"}) {
    write_bytes(file, good + bad + "\n");
    const auto error = error_of([&] { read_edits(corrected.path()); });
    REQUIRE(error);
    CHECK(error->kind() == ErrorKind::kData);
    CHECK_THAT(error->what(), contains_text("edits.jsonl:2: "));
  }
  write_bytes(file, good.substr(0, good.size() - 1));  // without its last line end
  undo(corrected.path());
  CHECK(read_edits(corrected.path()).size() == 2);
}

int failpoints_left = 0;

// Wherever a correction is interrupted: it is in the log or not, and all files follow the log from then on.
TEST_CASE("an interrupted correction is in the log or not", "[timeline]") {
  bool finished = false;
  for (int at = 0; !finished; ++at) {
    const TempFolder folder;
    write_timeline(folder.path(), six_tracks());
    const auto before = outputs_of(folder.path());
    failpoints_left = at;
    set_failpoint_handler([](std::string_view) {
      if (failpoints_left-- == 0) throw Error(ErrorKind::kIo, "no space left");
    });
    const auto error = error_of(
        [&] { correct(folder.path(), [](const Timeline& t) { return name_edit(t, "stranger 1", "Bob"); }); });
    set_failpoint_handler(nullptr);
    finished = !error;
    const bool logged = !read_edits(folder.path()).empty();
    CHECK((finished ? logged : error->kind() == ErrorKind::kIo));
    CHECK_NOTHROW(read_timeline(folder.path()));
    if (!logged) CHECK(outputs_of(folder.path()) == before);
    if (logged) {
      const Timeline next =
          correct(folder.path(), [](const Timeline& t) { return name_edit(t, "Bob", "Ben"); });
      CHECK(shown_name(next.tracks[0]) == "Ben");
      undo(folder.path());
      undo(folder.path());
      CHECK(outputs_of(folder.path()) == before);
    }
    REQUIRE(at < 1000);
  }
}

}  // namespace
}  // namespace uir
