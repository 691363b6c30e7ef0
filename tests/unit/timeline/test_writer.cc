#include "uir/timeline/writer.h"

#include <map>

#include "support/catch.h"
#include "support/errors.h"
#include "support/file_bytes.h"
#include "support/temp_folder.h"
#include "support/timelines.h"
#include "uir/timeline/names.h"
#include "uir/timeline/page_lines.h"

namespace uir {
namespace {

std::map<std::string, std::string> files_of(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file())
      files[fs::relative(entry.path(), folder).string()] = read_bytes(entry.path());
  }
  return files;
}

TEST_CASE("a film's folder, written twice, stays as it is", "[timeline]") {
  const TempFolder folder;
  const Timeline timeline = made_up_timeline(4);
  write_outputs(folder.path(), timeline);
  const auto files = files_of(folder.path());
  for (const std::string file : {"timeline.json", "timeline.csv", "visible.vtt", "scenes.vtt"})
    CHECK(files.count(file) == 1);
  const auto time = fs::last_write_time(folder / "timeline.csv");
  write_outputs(folder.path(), read_timeline(folder.path()));
  CHECK(files_of(folder.path()) == files);
  CHECK(fs::last_write_time(folder / "timeline.csv") == time);
}

TEST_CASE("the page is given the pictures that are there", "[timeline]") {
  const TempFolder folder;
  Timeline timeline = made_up_timeline(4);
  fs::create_directories(folder / "faces");
  write_bytes(folder / "faces/7.jpg", "a picture");
  const std::vector<PersonLine> lines = person_lines(timeline, folder.path());
  size_t pictures = 0;
  for (const PersonLine& line : lines) {
    pictures += line.pictures.size();
    for (const std::string& picture : line.pictures) CHECK(picture == "a picture");
  }
  CHECK(pictures == 1);
  size_t tracks = 0;
  for (const PersonLine& line : lines) {
    for (const Track& track : timeline.tracks)
      tracks += track.verdict == line.verdict && shown_name(track) == line.name;
  }
  CHECK(tracks == timeline.tracks.size());
  timeline.tracks[0].picture = "../elsewhere.jpg";
  CHECK(fails_with(ErrorKind::kData, [&] { person_lines(timeline, folder.path()); }));
}

TEST_CASE("files of people who are gone go, other files stay", "[timeline]") {
  const TempFolder folder;
  Timeline timeline = made_up_timeline(4);
  write_outputs(folder.path(), timeline);
  REQUIRE(fs::exists(folder / "players/Anna.mpv.edl"));
  write_bytes(folder / "players/mine.txt", "x");
  write_bytes(folder / "notes.txt", "x");
  for (Track& track : timeline.tracks) {
    if (track.person == "Anna") track.person = "Ben";
  }
  write_outputs(folder.path(), timeline);
  for (const std::string file : {"players/Anna.mpv.edl", "players/Anna.kodi.edl", "players/Anna.chapters.txt",
                                 "editors/Anna.edl", "editors/Anna.otio"})
    CHECK_FALSE(fs::exists(folder / file));
  CHECK(fs::exists(folder / "players/mine.txt"));
  CHECK(fs::exists(folder / "notes.txt"));
}

}  // namespace
}  // namespace uir
