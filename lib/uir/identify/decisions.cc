#include "uir/identify/decisions.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "uir/identify/stranger_groups.h"
#include "uir/identify/unit_vectors.h"

namespace uir {
namespace {

constexpr double kLongestOverlap = 0.1;
constexpr size_t kMostCandidates = 3;

struct Claim {
  double score;
  size_t track, person;
};

std::span<const float> row_of(std::span<const float> rows, size_t row, int64_t dim) {
  const auto width = static_cast<size_t>(dim);
  return rows.subspan(row * width, width);
}

// Every person that a track could be, the highest score first.
std::vector<Claim> claims_of(const std::vector<Track>& tracks, std::span<const float> vectors,
                             const PeopleVectors& people, int64_t dim, double least) {
  std::vector<Claim> claims;
  for (size_t t = 0; t < tracks.size(); ++t) {
    for (size_t p = 0; p < people.names.size(); ++p) {
      const double score = dot_of(row_of(vectors, t, dim), row_of(people.vectors, p, dim));
      if (score >= least) claims.push_back({score, t, p});
    }
  }
  std::ranges::sort(claims, [](const Claim& a, const Claim& b) {
    return std::tuple(-a.score, a.track, a.person) < std::tuple(-b.score, b.track, b.person);
  });
  return claims;
}

std::vector<Candidate> best_candidates(std::span<const float> vector, const PeopleVectors& people,
                                       int64_t dim) {
  std::vector<Candidate> candidates;
  for (size_t p = 0; p < people.names.size(); ++p)
    candidates.push_back({people.names[p], dot_of(vector, row_of(people.vectors, p, dim))});
  const size_t count = std::min(kMostCandidates, candidates.size());
  std::ranges::partial_sort(candidates, candidates.begin() + static_cast<std::ptrdiff_t>(count),
                            [](const Candidate& a, const Candidate& b) {
                              return std::tuple(-a.score, a.person) < std::tuple(-b.score, b.person);
                            });
  candidates.resize(count);
  return candidates;
}

void name_known(std::vector<Track>& tracks, std::span<const float> vectors, const PeopleVectors& people,
                int64_t dim, double known) {
  std::vector<std::vector<size_t>> tracks_of(people.names.size());
  for (const Claim& claim : claims_of(tracks, vectors, people, dim, known)) {
    Track& track = tracks[claim.track];
    if (track.verdict == Verdict::kKnown || track.verdict == Verdict::kTooSmall) continue;
    const bool excluded = std::ranges::any_of(
        tracks_of[claim.person], [&](size_t other) { return are_seen_together(track, tracks[other]); });
    if (excluded) continue;
    track.verdict = Verdict::kKnown;
    track.person = people.names[claim.person];
    tracks_of[claim.person].push_back(claim.track);
    const auto own = std::ranges::find(track.candidates, track.person, &Candidate::person);
    if (own != track.candidates.end()) std::rotate(track.candidates.begin(), own, own + 1);
  }
}

}  // namespace

bool are_seen_together(const Track& a, const Track& b) {
  const int64_t common = std::min(a.time.end, b.time.end) - std::max(a.time.begin, b.time.begin);
  const auto shorter = static_cast<double>(std::min(a.time.length(), b.time.length()));
  return common > 0 && static_cast<double>(common) >= kLongestOverlap * shorter;
}

void decide_tracks(std::vector<Track>& tracks, std::span<const float> vectors,
                   std::span<const double> largest, const PeopleVectors& people, int64_t dim,
                   const TimelineThresholds& thresholds) {
  for (size_t t = 0; t < tracks.size(); ++t) {
    Track& track = tracks[t];
    track.person.clear();
    track.candidates = best_candidates(row_of(vectors, t, dim), people, dim);
    const double best = track.candidates.empty() ? -1 : track.candidates.front().score;
    if (largest[t] < thresholds.smallest_face) {
      track.verdict = Verdict::kTooSmall;
    } else {
      track.verdict = best < thresholds.unsure ? Verdict::kStranger : Verdict::kUnsure;
    }
  }
  name_known(tracks, vectors, people, dim, thresholds.known);
}

void number_strangers(std::span<const FilmTracks> films, int64_t dim, const TimelineThresholds& thresholds) {
  struct Place {
    size_t film;
    Track* track;
  };
  std::vector<Place> places;
  std::vector<float> vectors;
  for (size_t f = 0; f < films.size(); ++f) {
    for (size_t t = 0; t < films[f].tracks->size(); ++t) {
      Track& track = (*films[f].tracks)[t];
      track.stranger = 0;
      if (track.verdict != Verdict::kStranger) continue;
      places.push_back({f, &track});
      const std::span<const float> row = row_of(films[f].vectors, t, dim);
      vectors.insert(vectors.end(), row.begin(), row.end());
    }
  }
  const std::vector<int64_t> group =
      group_strangers(vectors, places.size(), thresholds.same_stranger, [&](size_t i, size_t j) {
        return places[i].film == places[j].film && are_seen_together(*places[i].track, *places[j].track);
      });
  for (size_t i = 0; i < places.size(); ++i) places[i].track->stranger = group[i] + 1;
}

}  // namespace uir
