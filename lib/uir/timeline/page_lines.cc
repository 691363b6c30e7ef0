#include "uir/timeline/page_lines.h"

#include <algorithm>
#include <map>
#include <utility>

#include "uir/timeline/layers.h"

namespace uir {
namespace {

constexpr size_t kPictures = 3;

double best_weight(const Track& track) {
  double best = 0;
  for (const TrackFace& face : track.faces) best = std::max(best, face.weight);
  return best;
}

std::vector<std::string> pictures_of(std::vector<const Track*> tracks, const fs::path& folder) {
  std::stable_sort(tracks.begin(), tracks.end(),
                   [](const Track* a, const Track* b) { return best_weight(*a) > best_weight(*b); });
  std::vector<std::string> pictures;
  for (const Track* track : tracks) {
    std::error_code ignored;
    if (pictures.size() == kPictures) break;
    if (track->picture.empty()) continue;
    const fs::path file = join_inside(folder, track->picture);
    if (fs::is_regular_file(file, ignored)) pictures.push_back(read_text_file(file));
  }
  return pictures;
}

// Nobody's name: every track by itself.
std::vector<Span> spans_of(const std::vector<const Track*>& tracks) {
  std::vector<Span> spans;
  for (const Track* track : tracks) spans.push_back(track->time);
  return united(std::move(spans));
}

}  // namespace

std::vector<PersonLine> person_lines(const Timeline& timeline, const fs::path& folder) {
  std::map<std::pair<Verdict, std::string>, std::vector<const Track*>> tracks;
  for (const Track& track : timeline.tracks) tracks[{track.verdict, shown_name(track)}].push_back(&track);
  std::vector<PersonLine> lines;
  for (const auto& [key, of_line] : tracks) {
    PersonLine line{key.second, key.first, {}, {}, pictures_of(of_line, folder)};
    if (line.name == "?") {
      line.visible = line.scenes = spans_of(of_line);
    } else {
      line.visible = layer_of(timeline, Layer::kVisible, line.name);
      line.scenes = layer_of(timeline, Layer::kScenes, line.name);
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace uir
