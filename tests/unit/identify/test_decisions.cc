#include "uir/identify/decisions.h"

#include <array>
#include <cmath>

#include "support/catch.h"
#include "uir/identify/unit_vectors.h"

using namespace uir;

namespace {

// Unit vectors in the plane: scores are cosines of the differences of angles [degrees].
std::vector<float> at_angles(const std::vector<double>& angles) {
  std::vector<float> rows;
  for (const double angle : angles) {
    rows.push_back(static_cast<float>(std::cos(angle * M_PI / 180)));
    rows.push_back(static_cast<float>(std::sin(angle * M_PI / 180)));
  }
  return rows;
}

Track track(int64_t begin, int64_t end) {
  Track track;
  track.time = {begin, end};
  return track;
}

const TimelineThresholds kThresholds{
    .known = 0.8, .unsure = 0.5, .same_person = 0.9, .smallest_face = 24, .because = ""};
const TimelineThresholds kEachAlone{
    .known = 0.8, .unsure = 0.5, .same_person = 2, .smallest_face = 24, .because = ""};

void decide(std::vector<Track>& tracks, const std::vector<float>& vectors, const PeopleVectors& people,
            const TimelineThresholds& thresholds = kThresholds) {
  const FilmTracks film{&tracks, vectors, std::vector<double>(tracks.size(), 50)};
  decide_tracks(std::array{film}, people, static_cast<int64_t>(vectors.size() / tracks.size()), thresholds);
}

}  // namespace

TEST_CASE("A track is known, unsure or a stranger by its score, too small by its faces", "[decisions]") {
  const PeopleVectors people{{"Anna", "Ben"}, at_angles({0, 90})};
  std::vector<Track> tracks{track(0, 10),  track(10, 20), track(20, 30),
                            track(30, 40), track(40, 50), track(50, 60)};
  const FilmTracks film{&tracks, at_angles({20, 45, 180, 45, 180, 20}), {50, 50, 50, 10, 10, 10}};
  decide_tracks(std::array{film}, people, 2, kEachAlone);
  CHECK(tracks[0].verdict == Verdict::kKnown);
  CHECK(tracks[0].person == "Anna");
  REQUIRE(tracks[0].candidates.size() == 2);
  CHECK(tracks[0].candidates[0].score == Approx(std::cos(20 * M_PI / 180)));
  CHECK(tracks[1].verdict == Verdict::kUnsure);
  CHECK(tracks[1].person.empty());
  CHECK(tracks[2].verdict == Verdict::kStranger);
  for (const Track& small : {tracks[3], tracks[4]}) {
    CHECK(small.verdict == Verdict::kTooSmall);
    CHECK(small.person.empty());
    CHECK(small.stranger == 0);
  }
  CHECK(tracks[5].verdict == Verdict::kKnown);  // what is likest is no matter of size
  CHECK(tracks[5].person == "Anna");
}

TEST_CASE("People who are seen together are different people", "[decisions]") {
  const PeopleVectors people{{"Anna", "Ben"}, at_angles({0, 60})};
  // Both are most like Anna; the second one is the liker of the two. The first one may be Ben.
  std::vector<Track> tracks{track(0, 10), track(5, 15), track(15, 20)};
  decide(tracks, at_angles({26, 10, 26}), people, kEachAlone);
  CHECK(tracks[0].person == "Ben");
  CHECK(tracks[0].candidates[0].person == "Ben");
  CHECK(tracks[1].person == "Anna");
  CHECK(tracks[2].person == "Anna");  // alone

  std::vector<Track> alike{track(0, 10), track(5, 15)};
  decide(alike, at_angles({-20, 0}), people, kEachAlone);
  CHECK(alike[0].verdict == Verdict::kUnsure);
  CHECK(alike[1].person == "Anna");
}

TEST_CASE("Overlaps of a moment are errors of tracking", "[decisions]") {
  CHECK(are_seen_together(track(0, 100), track(90, 200)));
  CHECK_FALSE(are_seen_together(track(0, 100), track(95, 200)));
  CHECK_FALSE(are_seen_together(track(0, 100), track(100, 200)));
  CHECK(are_seen_together(track(0, 1000), track(500, 510)));
}

TEST_CASE("What is seen of somebody at one time helps at another", "[decisions]") {
  // Three views of one face, each like the person in one way and like each other: together they are liker.
  const double side = std::sqrt(1 - 0.7 * 0.7);
  const std::vector<float> person{1, 0, 0, 0};
  std::vector<float> views;
  for (const size_t i : {0, 1, 2}) {
    std::vector<double> view{0.7, 0, 0, 0};
    view[i + 1] = side;
    const std::vector<float> row = unit_vector(view);
    views.insert(views.end(), row.begin(), row.end());
  }
  const double together = 3 * 0.7 / std::sqrt(3 + 6 * 0.49);
  TimelineThresholds thresholds = kThresholds;
  thresholds.same_person = 0.45;
  const PeopleVectors people{{"Anna"}, person};
  std::vector<Track> tracks{track(0, 10), track(10, 20), track(20, 30)};
  decide(tracks, views, people, thresholds);
  for (const Track& one : tracks) {
    CHECK(one.verdict == Verdict::kKnown);
    CHECK(one.candidates[0].score == Approx(together));
  }
  // Not where each is a stranger by itself …
  thresholds.unsure = 0.75;
  decide(tracks, views, people, thresholds);
  for (const Track& one : tracks) {
    CHECK(one.verdict == Verdict::kStranger);
    CHECK(one.stranger == 1);
    CHECK(one.candidates[0].score == Approx(0.7));
  }
  // … nor of faces that are too small to group …
  thresholds.unsure = 0.5;
  const FilmTracks small{&tracks, views, {50, 50, 10}};
  decide_tracks(std::array{small}, people, 4, thresholds);
  CHECK(tracks[0].candidates[0].score == Approx(2 * 0.7 / std::sqrt(2 + 2 * 0.49)));
  CHECK(tracks[2].verdict == Verdict::kTooSmall);
  CHECK(tracks[2].candidates[0].score == Approx(0.7));
  // … nor of people who are seen together.
  thresholds.unsure = 0.5;
  std::vector<Track> at_once(3, track(0, 10));
  decide(at_once, views, people, thresholds);
  for (const Track& one : at_once) CHECK(one.verdict == Verdict::kUnsure);
}

TEST_CASE("Strangers have one number in all films, in the order in which they come", "[decisions]") {
  std::vector<Track> first{track(0, 10), track(5, 15), track(20, 30)}, second{track(0, 10), track(0, 10)};
  const std::vector<FilmTracks> films{{&first, at_angles({100, 105, 102}), {50, 50, 50}},
                                      {&second, at_angles({220, 55}), {50, 50}}};
  decide_tracks(films, {{"Anna"}, at_angles({0})}, 2, kThresholds);
  CHECK(first[0].stranger == 1);
  CHECK(first[1].stranger == 2);  // seen together with 1
  CHECK(first[2].stranger == 1);
  CHECK(second[0].stranger == 3);
  CHECK(second[1].verdict == Verdict::kUnsure);
  CHECK(second[1].stranger == 0);
}
