#include "uir/identify/decisions.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "uir/identify/track_groups.h"
#include "uir/identify/unit_vectors.h"

namespace uir {
namespace {

constexpr double kLongestOverlap = 0.1;
constexpr size_t kMostCandidates = 3;

std::span<const float> row_of(std::span<const float> rows, size_t row, int64_t dim) {
  const auto width = static_cast<size_t>(dim);
  return rows.subspan(row * width, width);
}

// The tracks of all films, one after the other: first those that are large enough to be told apart.
class AllTracks {
 public:
  AllTracks(std::span<const FilmTracks> films, const PeopleVectors& people, int64_t dim,
            const TimelineThresholds& thresholds)
      : people_(people), dim_(dim), thresholds_(thresholds) {
    add(films, [&](double largest) { return largest >= thresholds_.smallest_face; });
    large_ = places_.size();
    add(films, [&](double largest) { return largest < thresholds_.smallest_face; });
  }

  void group() {
    const std::span<const float> large(vectors_.data(), large_ * static_cast<size_t>(dim_));
    group_ = group_tracks(large, large_, thresholds_.same_person,
                          [this](size_t i, size_t j) { return excluded(i, j); });
    const size_t groups = group_.empty() ? 0 : static_cast<size_t>(*std::ranges::max_element(group_)) + 1;
    std::vector<std::vector<double>> sums(groups, std::vector<double>(static_cast<size_t>(dim_)));
    for (size_t i = 0; i < large_; ++i) add_to(sums[group_of(i)], vector(i), 1);
    for (const std::vector<double>& sum : sums) {
      const std::vector<float> mean = unit_vector(sum);
      group_vectors_.insert(group_vectors_.end(), mean.begin(), mean.end());
    }
  }

  void judge() {
    for (size_t i = 0; i < places_.size(); ++i) {
      Track& track = *places_[i].track;
      track.candidates = best_candidates([&](size_t p) { return score(i, p); });
      const double best = track.candidates.empty() ? -1 : track.candidates.front().score;
      track.verdict = i >= large_                 ? Verdict::kTooSmall
                      : best < thresholds_.unsure ? Verdict::kStranger
                                                  : Verdict::kUnsure;
    }
  }

  void name_known() {
    std::vector<std::vector<size_t>> tracks_of(people_.names.size());
    for (const Claim& claim : claims()) {
      Track& track = *places_[claim.place].track;
      if (track.verdict == Verdict::kKnown) continue;
      const bool taken = std::ranges::any_of(tracks_of[claim.person],
                                             [&](size_t other) { return excluded(claim.place, other); });
      if (taken) continue;
      track.verdict = Verdict::kKnown;
      track.person = people_.names[claim.person];
      tracks_of[claim.person].push_back(claim.place);
      const auto own = std::ranges::find(track.candidates, track.person, &Candidate::person);
      if (own != track.candidates.end()) std::rotate(track.candidates.begin(), own, own + 1);
    }
  }

  void number_strangers() {
    std::map<int64_t, int64_t> numbers;
    for (size_t i = 0; i < places_.size(); ++i) {
      if (places_[i].track->verdict != Verdict::kStranger) continue;
      const auto next = static_cast<int64_t>(numbers.size()) + 1;
      places_[i].track->stranger = numbers.emplace(group_[i], next).first->second;
    }
  }

 private:
  struct Place {
    size_t film;
    Track* track;
  };
  struct Claim {
    double score;
    size_t place, person;
  };

  template <class Wanted>
  void add(std::span<const FilmTracks> films, const Wanted& wanted) {
    for (size_t f = 0; f < films.size(); ++f) {
      for (size_t t = 0; t < films[f].tracks->size(); ++t) {
        if (!wanted(films[f].largest[t])) continue;
        Track& track = (*films[f].tracks)[t];
        track.person.clear();
        track.stranger = 0;
        places_.push_back({f, &track});
        const std::span<const float> vector = row_of(films[f].vectors, t, dim_);
        vectors_.insert(vectors_.end(), vector.begin(), vector.end());
      }
    }
  }

  std::span<const float> vector(size_t i) const { return row_of(vectors_, i, dim_); }
  std::span<const float> person(size_t p) const { return row_of(people_.vectors, p, dim_); }
  size_t group_of(size_t i) const { return static_cast<size_t>(group_[i]); }
  bool excluded(size_t i, size_t j) const {
    return places_[i].film == places_[j].film && are_seen_together(*places_[i].track, *places_[j].track);
  }

  double score(size_t i, size_t p) const {
    const double own = dot_of(vector(i), person(p));
    if (own < thresholds_.unsure || i >= large_) return own;
    return std::max(own, dot_of(row_of(group_vectors_, group_of(i), dim_), person(p)));
  }

  template <class Score>
  std::vector<Candidate> best_candidates(const Score& score) const {
    std::vector<Candidate> candidates;
    for (size_t p = 0; p < people_.names.size(); ++p) candidates.push_back({people_.names[p], score(p)});
    const size_t count = std::min(kMostCandidates, candidates.size());
    std::ranges::partial_sort(candidates, candidates.begin() + static_cast<std::ptrdiff_t>(count),
                              [](const Candidate& a, const Candidate& b) {
                                return std::tuple(-a.score, a.person) < std::tuple(-b.score, b.person);
                              });
    candidates.resize(count);
    return candidates;
  }

  // Everybody whom a track could be named after, the highest score first.
  std::vector<Claim> claims() const {
    std::vector<Claim> claims;
    for (size_t i = 0; i < places_.size(); ++i) {
      for (size_t p = 0; p < people_.names.size(); ++p) {
        if (const double found = score(i, p); found >= thresholds_.known) claims.push_back({found, i, p});
      }
    }
    std::ranges::sort(claims, [](const Claim& a, const Claim& b) {
      return std::tuple(-a.score, a.place, a.person) < std::tuple(-b.score, b.place, b.person);
    });
    return claims;
  }

  const PeopleVectors& people_;
  int64_t dim_;
  const TimelineThresholds& thresholds_;
  std::vector<Place> places_;
  size_t large_ = 0;                            // so many of them, the first
  std::vector<float> vectors_, group_vectors_;  // [places, dim], [groups, dim]
  std::vector<int64_t> group_;                  // [large]
};

}  // namespace

bool are_seen_together(const Track& a, const Track& b) {
  const int64_t common = std::min(a.time.end, b.time.end) - std::max(a.time.begin, b.time.begin);
  const auto shorter = static_cast<double>(std::min(a.time.length(), b.time.length()));
  return common > 0 && static_cast<double>(common) >= kLongestOverlap * shorter;
}

void decide_tracks(std::span<const FilmTracks> films, const PeopleVectors& people, int64_t dim,
                   const TimelineThresholds& thresholds) {
  AllTracks tracks(films, people, dim, thresholds);
  tracks.group();
  tracks.judge();
  tracks.name_known();
  tracks.number_strangers();
}

}  // namespace uir
