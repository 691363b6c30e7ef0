#include "uir/identify/shot_tracker.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "uir/base/box_overlap.h"
#include "uir/identify/assignment.h"
#include "uir/identify/unit_vectors.h"

namespace uir {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kAlone = 0.8;        // a face overlaps its track by at least 0.2, or lies near it
constexpr double kAnotherSize = 1.7;  // faces do not grow by more between two samples
constexpr double kReach = 6;          // sides of a face that a fast one moves by between two samples
constexpr double kAlikeWhenFast = 0.3;
constexpr double kLeastOverlap = 0.2;  // between two samples, of a frame's face and the expected box

double side_of(const FaceBox& box) { return std::sqrt(std::max(1.f, area_of(box))); }

double distance_of(const FaceBox& a, const FaceBox& b) {
  return std::hypot(a[0] + a[2] - b[0] - b[2], a[1] + a[3] - b[1] - b[3]) / 2;
}

FaceBox moved(FaceBox box, std::array<float, 2> motion, int64_t ticks) {
  for (size_t i = 0; i < 4; ++i) box[i] += motion[i % 2] * static_cast<float>(ticks);
  return box;
}

// Pixels per tick between the last two sightings.
std::array<float, 2> motion_of(const FaceTrack& track) {
  const size_t n = track.sightings.size();
  if (n < 2) return {};
  const Sighting &a = track.sightings[n - 2], &b = track.sightings[n - 1];
  const auto ticks = static_cast<float>(2 * (b.ticks - a.ticks));
  std::array<float, 2> motion;
  for (size_t i = 0; i < 2; ++i)
    motion[i] = (b.face.box[i] + b.face.box[i + 2] - a.face.box[i] - a.face.box[i + 2]) / ticks;
  return motion;
}

FaceBox expected(const FaceTrack& track, int64_t ticks) {
  const Sighting& last = track.sightings.back();
  return moved(last.face.box, motion_of(track), ticks - last.ticks);
}

double cost_of(const FaceBox& expected, const FaceBox& face) {
  const double a = side_of(expected), b = side_of(face);
  if (std::max(a, b) > kAnotherSize * std::min(a, b)) return kInfinity;
  return std::min(1 - overlap_of(expected, face), 0.55 + 0.25 * distance_of(expected, face) / std::min(a, b));
}

bool is_within_reach(const FaceBox& expected, const FaceBox& face) {
  const double a = side_of(expected), b = side_of(face);
  return std::max(a, b) <= kAnotherSize * std::min(a, b) &&
         distance_of(expected, face) <= kReach * std::min(a, b);
}

}  // namespace

void FaceTrack::close() {
  if (!absences.empty() && !absences.back().is_over) {
    time.end = absences.back().time.begin;
    absences.pop_back();
  }
  std::erase_if(absences, [](const Absence& absence) { return absence.time.length() <= 0; });
}

bool TrackEdge::is_seen_among(const std::vector<FilmFace>& faces, int64_t at) const {
  const FaceBox there = moved(box, motion, at - ticks);
  return std::ranges::any_of(faces, [&](const FilmFace& face) {
    return overlap_of(there, face.box) >= kLeastOverlap || cost_of(there, face.box) <= kAlone;
  });
}

const std::vector<float>& ShotTracker::embedding_of(Sighting& sighting) {
  if (sighting.embedding.empty()) {
    const FacePixels* face = sighting.face.pixels.get();
    sighting.embedding = embedder_->embed({&face, 1});
  }
  return sighting.embedding;
}

// Of a track and a face, where another track could take the face and another face the track.
void ShotTracker::tell_crossing_apart(std::vector<double>& costs, std::vector<Sighting>& faces) {
  const size_t columns = faces.size();
  const auto possible = [&](size_t row, size_t column) { return costs[row * columns + column] <= kAlone; };
  const auto crosses = [&](size_t row, size_t column) {
    bool other_row = false, other_column = false;
    for (size_t r = 0; r < live_.size(); ++r) other_row = other_row || (r != row && possible(r, column));
    for (size_t c = 0; c < columns; ++c) other_column = other_column || (c != column && possible(row, c));
    return possible(row, column) && other_row && other_column;
  };
  std::vector<std::pair<size_t, size_t>> crossing;
  for (size_t row = 0; row < live_.size(); ++row) {
    for (size_t column = 0; column < columns; ++column) {
      if (crosses(row, column)) crossing.emplace_back(row, column);
    }
  }
  for (const auto& [row, column] : crossing) {
    const double cosine =
        cosine_of(embedding_of(live_[row].track->sightings.back()), embedding_of(faces[column]));
    double& cost = costs[row * columns + column];
    cost = std::min(kAlone, 0.3 * cost + 0.5 * (1 - cosine));
  }
}

std::vector<size_t> ShotTracker::assign(int64_t ticks, std::vector<Sighting>& faces) {
  std::vector<double> costs;
  for (const Live& live : live_) {
    const FaceBox box = expected(*live.track, ticks);
    for (const Sighting& face : faces) costs.push_back(cost_of(box, face.face.box));
  }
  tell_crossing_apart(costs, faces);
  std::vector<size_t> column_of = cheapest_assignment(costs, live_.size(), faces.size(), kAlone);
  assign_fast(ticks, faces, column_of);
  return column_of;
}

// Tracks that were seen in the sample before, to faces that are further away but alike.
void ShotTracker::assign_fast(int64_t ticks, std::vector<Sighting>& faces, std::vector<size_t>& column_of) {
  std::vector<size_t> rows, columns;
  for (size_t i = 0; i < live_.size(); ++i) {
    if (column_of[i] == kUnassigned && live_[i].seen) rows.push_back(i);
  }
  for (size_t j = 0; j < faces.size(); ++j) {
    if (std::ranges::find(column_of, j) == column_of.end()) columns.push_back(j);
  }
  std::vector<double> costs;
  for (const size_t row : rows) {
    FaceTrack& track = *live_[row].track;
    const FaceBox box = expected(track, ticks);
    for (const size_t column : columns) {
      costs.push_back(kInfinity);
      if (!is_within_reach(box, faces[column].face.box)) continue;
      const double cosine = cosine_of(embedding_of(track.sightings.back()), embedding_of(faces[column]));
      costs.back() = 1 - cosine;
    }
  }
  const std::vector<size_t> found =
      cheapest_assignment(costs, rows.size(), columns.size(), 1 - kAlikeWhenFast);
  for (size_t i = 0; i < rows.size(); ++i) {
    if (found[i] != kUnassigned) column_of[rows[i]] = columns[found[i]];
  }
}

void ShotTracker::add(int64_t ticks, int64_t next, bool begins_shot, bool ends_shot,
                      std::vector<FilmFace> faces, std::vector<TrackEdge>& edges) {
  std::vector<Sighting> sightings;
  for (FilmFace& face : faces) sightings.push_back({ticks, std::move(face), {}});
  const std::vector<size_t> column_of = assign(ticks, sightings);
  std::vector<char> taken(sightings.size(), 0);
  for (size_t i = 0; i < live_.size(); ++i) {
    Live& live = live_[i];
    FaceTrack& track = *live.track;
    if (column_of[i] != kUnassigned) {
      taken[column_of[i]] = 1;
      track.sightings.push_back(std::move(sightings[column_of[i]]));
      track.time.end = next;
      if (!live.seen) {
        Absence& absence = track.absences.back();
        absence = {{absence.time.begin, ticks}, true};
        edges.push_back({live.track, true, track.absences.size() - 1, track.sightings.back().face.box, ticks,
                         motion_of(track)});
      }
    } else if (live.seen) {
      const Sighting& last = track.sightings.back();
      edges.push_back(
          {live.track, false, track.absences.size(), last.face.box, last.ticks, motion_of(track)});
      track.absences.push_back({{track.time.end, track.time.end}, false});
    }
    live.seen = column_of[i] != kUnassigned;
  }
  for (size_t j = 0; j < sightings.size(); ++j) {
    if (taken[j]) continue;
    auto track = std::make_shared<FaceTrack>();
    track->time = {ticks, next};
    track->sightings.push_back(std::move(sightings[j]));
    if (!begins_shot) edges.push_back({track, true, std::nullopt, track->sightings[0].face.box, ticks, {}});
    all_.push_back(track);
    live_.push_back({track, true});
  }
  const auto gap = static_cast<int64_t>(kLongestGap * static_cast<double>(ticks_per_second_));
  std::erase_if(live_, [&](const Live& live) { return ticks - live.track->sightings.back().ticks > gap; });
  if (ends_shot) live_.clear();
}

}  // namespace uir
