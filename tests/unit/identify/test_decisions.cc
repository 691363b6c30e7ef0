#include "uir/identify/decisions.h"

#include <cmath>

#include "support/catch.h"

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
    .known = 0.8, .unsure = 0.5, .same_stranger = 0.9, .smallest_face = 24, .because = ""};

}  // namespace

TEST_CASE("A track is known, unsure or a stranger by its score, too small by its faces", "[decisions]") {
  const PeopleVectors people{{"Anna", "Ben"}, at_angles({0, 90})};
  std::vector<Track> tracks{track(0, 10), track(10, 20), track(20, 30), track(30, 40)};
  decide_tracks(tracks, at_angles({20, 45, 180, 0}), std::vector<double>{50, 50, 50, 10}, people, 2,
                kThresholds);
  CHECK(tracks[0].verdict == Verdict::kKnown);
  CHECK(tracks[0].person == "Anna");
  REQUIRE(tracks[0].candidates.size() == 2);
  CHECK(tracks[0].candidates[0].score == Approx(std::cos(20 * M_PI / 180)));
  CHECK(tracks[1].verdict == Verdict::kUnsure);
  CHECK(tracks[1].person.empty());
  CHECK(tracks[2].verdict == Verdict::kStranger);
  CHECK(tracks[3].verdict == Verdict::kTooSmall);
  CHECK(tracks[3].person.empty());
}

TEST_CASE("People who are seen together are different people", "[decisions]") {
  const PeopleVectors people{{"Anna", "Ben"}, at_angles({0, 60})};
  // Both are most like Anna; the second one is the liker of the two. The first one may be Ben.
  std::vector<Track> tracks{track(0, 10), track(5, 15), track(15, 20)};
  decide_tracks(tracks, at_angles({26, 10, 26}), std::vector<double>(3, 50), people, 2, kThresholds);
  CHECK(tracks[0].person == "Ben");
  CHECK(tracks[0].candidates[0].person == "Ben");
  CHECK(tracks[1].person == "Anna");
  CHECK(tracks[2].person == "Anna");  // alone

  std::vector<Track> alike{track(0, 10), track(5, 15)};
  decide_tracks(alike, at_angles({-20, 0}), std::vector<double>(2, 50), people, 2, kThresholds);
  CHECK(alike[0].verdict == Verdict::kUnsure);
  CHECK(alike[1].person == "Anna");
}

TEST_CASE("Overlaps of a moment are errors of tracking", "[decisions]") {
  CHECK(are_seen_together(track(0, 100), track(90, 200)));
  CHECK_FALSE(are_seen_together(track(0, 100), track(95, 200)));
  CHECK_FALSE(are_seen_together(track(0, 100), track(100, 200)));
  CHECK(are_seen_together(track(0, 1000), track(500, 510)));
}

TEST_CASE("Strangers have one number in all films, in the order in which they come", "[decisions]") {
  std::vector<Track> first{track(0, 10), track(5, 15), track(20, 30)}, second{track(0, 10), track(0, 10)};
  for (auto* tracks : {&first, &second}) {
    for (Track& one : *tracks) one.verdict = Verdict::kStranger;
  }
  second[1].verdict = Verdict::kUnsure;
  const std::vector<float> of_first = at_angles({0, 5, 2}), of_second = at_angles({120, 0});
  const std::vector<FilmTracks> films{{&first, of_first}, {&second, of_second}};
  number_strangers(films, 2, kThresholds);
  CHECK(first[0].stranger == 1);
  CHECK(first[1].stranger == 2);  // seen together with 1
  CHECK(first[2].stranger == 1);
  CHECK(second[0].stranger == 3);
  CHECK(second[1].stranger == 0);
}
