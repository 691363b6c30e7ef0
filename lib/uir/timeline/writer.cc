#include "uir/timeline/writer.h"

#include <utility>

#include "uir/timeline/layers.h"
#include "uir/timeline/names.h"
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

}  // namespace

void write_outputs(const fs::path& folder, Timeline timeline) {
  clean_names(timeline);
  create_folders(folder);
  if (timeline.is_film()) {
    replace_file(folder / "timeline.csv", timeline_csv(timeline));
    replace_file(folder / "visible.vtt", captions(timeline, Layer::kVisible));
    replace_file(folder / "scenes.vtt", captions(timeline, Layer::kScenes));
  } else {
    replace_file(folder / "photos.csv", photos_csv(timeline));
  }
  replace_file(folder / "timeline.json", timeline_text(timeline));
}

}  // namespace uir
