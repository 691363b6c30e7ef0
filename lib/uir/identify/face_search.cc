#include "uir/identify/face_search.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

#include "uir/base/error.h"
#include "uir/identify/track_vectors.h"
#include "uir/identify/unit_vectors.h"
#include "uir/timeline/layers.h"

namespace uir {

std::vector<float> read_vectors(const fs::path& folder, const Timeline& timeline) {
  const MappedFile file(folder / "vectors.f32");
  int64_t rows = 0;
  for (const auto* tracks : {&timeline.tracks, &timeline.uncut}) {
    for (const Track& track : *tracks) {
      for (const TrackFace& face : track.faces) rows = std::max(rows, face.vector + 1);
    }
  }
  const size_t wanted = static_cast<size_t>(rows * timeline.vector_size) * sizeof(float);
  if (file.bytes().size() < wanted || file.bytes().size() % sizeof(float) != 0)
    fail(ErrorKind::kData, file.path().string(), ": ", file.bytes().size(),
         " bytes, where the timeline names ", rows, " rows of ", timeline.vector_size,
         " numbers; make the timeline anew");
  std::vector<float> vectors(file.bytes().size() / sizeof(float));
  std::memcpy(vectors.data(), file.bytes().data(), file.bytes().size());
  return vectors;
}

std::vector<FoundInFilm> find_face(std::span<const float> face, const Timeline& timeline,
                                   std::span<const float> vectors, double least) {
  std::map<std::pair<std::string, int64_t>, FoundInFilm> found;  // nobody's tracks stand alone
  for (const Track& track : timeline.tracks) {
    const double score = dot_of(mean_vector(track, vectors, timeline.vector_size), face);
    if (score < least) continue;
    const std::string who = shown_name(track);
    FoundInFilm& one = found[{who, who == "?" ? track.id : 0}];
    ++one.tracks;
    if (one.tracks > 1 && score <= one.score) continue;
    one.score = score;
    one.who = who;
    one.best = track.time;
  }
  std::vector<FoundInFilm> ranked;
  for (auto& [key, one] : found) {
    one.length =
        one.who == "?" ? one.best.length() : total_length(layer_of(timeline, Layer::kVisible, one.who));
    ranked.push_back(std::move(one));
  }
  std::ranges::stable_sort(ranked, std::greater<>(), &FoundInFilm::score);
  return ranked;
}

}  // namespace uir
