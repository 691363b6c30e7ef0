#include "uir/identify/track_vectors.h"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

#include "uir/identify/unit_vectors.h"

namespace uir {
namespace {

constexpr float kSureScore = 0.85f;  // of a face that is seen once only

// The best sighting of each of at most kMostFaces equal parts of the track's time.
std::vector<size_t> best_of_parts(const std::vector<Sighting>& sightings) {
  const int64_t begin = sightings.front().ticks, length = sightings.back().ticks - begin + 1;
  std::vector<size_t> best;
  int64_t last_part = -1;
  for (size_t i = 0; i < sightings.size(); ++i) {
    const auto part = static_cast<int64_t>(static_cast<double>(sightings[i].ticks - begin) /
                                           static_cast<double>(length) * kMostFaces);
    if (part != last_part) {
      best.push_back(i);
    } else if (sightings[i].face.quality > sightings[best.back()].face.quality) {
      best.back() = i;
    }
    last_part = part;
  }
  return best;
}

void embed_missing(std::vector<Sighting>& sightings, const std::vector<size_t>& chosen,
                   const FaceEmbedder& embedder) {
  std::vector<const FacePixels*> faces;
  std::vector<size_t> missing;
  for (const size_t i : chosen) {
    if (!sightings[i].embedding.empty()) continue;
    missing.push_back(i);
    faces.push_back(sightings[i].face.pixels.get());
  }
  if (faces.empty()) return;
  const std::vector<float> embeddings = embedder.embed(faces);
  const auto dim = static_cast<std::ptrdiff_t>(embedder.dim);
  for (size_t k = 0; k < missing.size(); ++k) {
    const auto row = embeddings.begin() + static_cast<std::ptrdiff_t>(k) * dim;
    sightings[missing[k]].embedding.assign(row, row + dim);
  }
}

// Its quality times its length, for the unit vector: its quality for the embedding.
std::vector<double> sum_of(const std::vector<Sighting>& sightings, std::span<const size_t> chosen) {
  std::vector<double> sum;
  for (const size_t i : chosen) add_to(sum, sightings[i].embedding, sightings[i].face.quality);
  return sum;
}

// Where the faces before are least like those from there on; none if they are all alike.
std::optional<size_t> place_of_division(const std::vector<Sighting>& sightings,
                                        std::span<const size_t> chosen, double other_person) {
  std::optional<size_t> place;
  double least = other_person;
  for (size_t k = 1; k < chosen.size(); ++k) {
    const double cosine = cosine_of(unit_vector(sum_of(sightings, chosen.first(k))),
                                    unit_vector(sum_of(sightings, chosen.subspan(k))));
    if (cosine < least) {
      least = cosine;
      place = k;
    }
  }
  return place;
}

struct Part {
  Span time;
  std::vector<Span> hidden;
  std::vector<Sighting> sightings;
};

VectorTrack vector_track(const Part& part, std::span<const size_t> chosen) {
  VectorTrack result;
  result.track.time = part.time;
  result.track.hidden = part.hidden;
  for (const Sighting& sighting : part.sightings) {
    const FaceBox& box = sighting.face.box;
    result.track.sights.push_back({sighting.ticks, box});
    result.largest = std::max<double>(result.largest, std::min(width_of(box), height_of(box)));
  }
  double best = -1;
  for (const size_t i : chosen) {
    const Sighting& sighting = part.sightings[i];
    const double length = norm_of(sighting.embedding), weight = sighting.face.quality * length;
    const float scale = length > 0 ? static_cast<float>(1 / length) : 0;
    result.track.faces.push_back({sighting.ticks, weight, static_cast<int64_t>(result.track.faces.size())});
    for (const float x : sighting.embedding) result.vectors.push_back(x * scale);
    if (weight > best) {
      best = weight;
      result.picture = sighting.face.pixels;
    }
  }
  return result;
}

// Before and from the sighting in the middle between two chosen ones.
std::pair<Part, Part> divided(Part part, size_t last_before, size_t first_behind) {
  const auto middle = static_cast<std::ptrdiff_t>((last_before + first_behind + 1) / 2);
  const int64_t at = part.sightings[static_cast<size_t>(middle)].ticks;
  Part before{{part.time.begin, at}, part.hidden, {}}, behind{{at, part.time.end}, part.hidden, {}};
  for (Part* one : {&before, &behind}) cut_off_hidden(one->time, one->hidden);
  const auto begin = std::make_move_iterator(part.sightings.begin());
  before.sightings.assign(begin, begin + middle);
  behind.sightings.assign(begin + middle, std::make_move_iterator(part.sightings.end()));
  return {std::move(before), std::move(behind)};
}

void add_parts(Part part, const TrackRules& rules, const FaceEmbedder& embedder,
               std::vector<VectorTrack>& tracks) {
  const std::vector<size_t> chosen = best_of_parts(part.sightings);
  embed_missing(part.sightings, chosen, embedder);
  if (const auto place = place_of_division(part.sightings, chosen, rules.other_person)) {
    auto [before, behind] = divided(std::move(part), chosen[*place - 1], chosen[*place]);
    add_parts(std::move(before), rules, embedder, tracks);
    add_parts(std::move(behind), rules, embedder, tracks);
  } else {
    tracks.push_back(vector_track(part, chosen));
  }
}

bool may_be_a_face(const FaceTrack& track) {
  return track.sightings.size() > 1 || track.sightings.front().face.score >= kSureScore;
}

}  // namespace

std::vector<VectorTrack> vector_tracks(const std::vector<std::shared_ptr<FaceTrack>>& tracks,
                                       const TrackRules& rules, const FaceEmbedder& embedder) {
  std::vector<VectorTrack> result;
  for (const auto& track : tracks) {
    if (!may_be_a_face(*track)) continue;
    Part part{track->time, {}, track->sightings};
    for (const Absence& absence : track->absences) part.hidden.push_back(absence.time);
    add_parts(std::move(part), rules, embedder, result);
  }
  std::ranges::stable_sort(result, {}, [](const VectorTrack& t) {
    return std::tuple(t.track.time.begin, t.track.sights.front().box[0]);
  });
  return result;
}

std::vector<float> mean_vector(const Track& track, std::span<const float> vectors, int64_t dim) {
  std::vector<double> sum(static_cast<size_t>(dim));
  for (const TrackFace& face : track.faces) {
    add_to(sum, vectors.subspan(static_cast<size_t>(face.vector * dim), static_cast<size_t>(dim)),
           face.weight);
  }
  return unit_vector(sum);
}

}  // namespace uir
