#include "uir/timeline/writer.h"

#include <algorithm>
#include <functional>
#include <future>
#include <set>
#include <utility>

#include "uir/timeline/editors.h"
#include "uir/timeline/edits.h"
#include "uir/timeline/layers.h"
#include "uir/timeline/names.h"
#include "uir/timeline/page_lines.h"
#include "uir/timeline/players.h"
#include "uir/timeline/tables.h"

namespace uir {
namespace {

bool holds(const fs::path& path, std::string_view text) {
  std::error_code error;
  if (fs::file_size(path, error) != text.size() || error) return false;
  return as_text(MappedFile(path).bytes()) == text;
}

void replace_file(const fs::path& path, std::string_view text) {
  if (!holds(path, text)) write_file_atomically(path, text);
}

// A folder of one or several files a person. Those of people who are gone are removed, nothing else: the
// names of ours end in one of `kinds`.
class PeopleFolder {
 public:
  PeopleFolder(const fs::path& path, std::vector<std::string> kinds)
      : path_(path), kinds_(std::move(kinds)) {}

  void write(const std::string& person_file, const std::string& kind, std::string_view text) {
    written_.insert(person_file + kind);
    replace_file(path_ / (person_file + kind), text);
  }

  void remove_others() const {
    std::error_code error;
    std::vector<fs::path> gone;
    for (const auto& entry : fs::directory_iterator(path_, error)) {
      const std::string name = entry.path().filename().string();
      const bool ours = std::any_of(kinds_.begin(), kinds_.end(),
                                    [&](const std::string& kind) { return name.ends_with(kind); });
      if (ours && written_.count(name) == 0) gone.push_back(entry.path());
    }
    for (const fs::path& file : gone) {
      if (!fs::remove(file, error) && error)
        fail(ErrorKind::kIo, file.string(), ": cannot remove: ", error.message());
    }
  }

 private:
  const fs::path path_;
  const std::vector<std::string> kinds_;
  std::set<std::string> written_;
};

void write_people(const fs::path& folder, const Timeline& timeline) {
  const Film& film = timeline.film;
  const std::vector<std::string> people = shown_named_people(timeline), files = safe_file_names(people);
  PeopleFolder players(folder / "players", {".mpv.edl", ".kodi.edl", ".chapters.txt"});
  PeopleFolder editors(folder / "editors", {".edl", ".otio"});
  const std::string film_file = film_path(film, "..").string();  // from a folder of these
  for (size_t i = 0; i < people.size(); ++i) {
    const std::vector<Span> spans = layer_of(timeline, Layer::kScenes, people[i]);
    players.write(files[i], ".mpv.edl", mpv_edl(film, spans, film_file));
    players.write(files[i], ".kodi.edl", kodi_edl(film, spans));
    players.write(files[i], ".chapters.txt", chapters(film, spans, people[i]));
    editors.write(files[i], ".edl", cmx_edl(film, spans, people[i]));
    editors.write(files[i], ".otio", open_timeline(film, spans, people[i], film_file));
  }
  players.remove_others();
  editors.remove_others();
}

}  // namespace

void write_outputs(const fs::path& folder, Timeline timeline) {
  clean_names(timeline);
  create_folders(folder);
  // The two largest files at a time.
  std::future<std::string> text = std::async(std::launch::async, timeline_text, std::cref(timeline));
  if (timeline.is_film()) {
    replace_file(folder / "timeline.csv", timeline_csv(timeline));
    replace_file(folder / "visible.vtt", captions(timeline, Layer::kVisible));
    replace_file(folder / "scenes.vtt", captions(timeline, Layer::kScenes));
    write_people(folder, timeline);
    replace_file(folder / "player.html", player_page(timeline, person_lines(timeline, folder)));
  } else {
    replace_file(folder / "photos.csv", photos_csv(timeline));
    replace_file(folder / "photos.html", photos_page(timeline, person_lines(timeline, folder)));
  }
  replace_file(folder / "timeline.json", text.get());
}

std::vector<std::string> write_timeline(const fs::path& folder, Timeline analysis) {
  clean_names(analysis);
  std::vector<std::string> problems = replay(analysis, read_edits(folder));
  write_outputs(folder, std::move(analysis));
  return problems;
}

}  // namespace uir
