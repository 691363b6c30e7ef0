#include "uir/identify/track_calibration.h"

#include <cmath>

#include "support/catch.h"
#include "support/errors.h"

using namespace uir;

namespace {

TrackCalibration calibration(double hours, std::vector<double> scores) {
  TrackCalibration calibration;
  calibration.model = {{"checksum", "1"}};
  calibration.hours = hours;
  calibration.tracks = static_cast<int64_t>(scores.size());
  calibration.scores = std::move(scores);
  return calibration;
}

}  // namespace

// R: binom.test(k, n, alternative = "less")$conf.int[2]
TEST_CASE("The bound of a share is Clopper's and Pearson's", "[calibration]") {
  CHECK(upper_bound_of_share(0, 100) == Approx(1 - std::pow(0.05, 0.01)).epsilon(1e-9));
  CHECK(upper_bound_of_share(0, 1'000'000) * 1e6 == Approx(2.9957).epsilon(1e-3));  // "3 / n"
  CHECK(upper_bound_of_share(1, 20) == Approx(0.2161062).epsilon(1e-6));
  CHECK(upper_bound_of_share(5, 50) == Approx(0.1988330).epsilon(1e-6));
  CHECK(upper_bound_of_share(3, 3) == 1);
}

TEST_CASE("A threshold lets no more false names through than wanted", "[calibration]") {
  std::vector<double> scores;
  for (int i = 0; i < 100; ++i) scores.push_back(0.5 - 0.004 * i);
  const TrackCalibration ten_hours = calibration(10, scores);
  const FalseNames two = false_names_at(ten_hours, 2);
  CHECK(two.names == 20);
  CHECK(two.threshold == Approx((scores[19] + scores[20]) / 2));
  CHECK(two.per_hour == Approx(2));
  CHECK_FALSE(two.is_bound);

  const FalseNames few = false_names_at(ten_hours, 0.3);
  CHECK(few.names == 3);
  CHECK(few.is_bound);
  CHECK(few.per_hour == Approx(upper_bound_of_share(3, 100) * 10));

  const FalseNames none = false_names_at(calibration(0.5, scores), 1);
  CHECK(none.names == 0);
  CHECK(none.threshold > scores[0]);
  CHECK(none.per_hour == Approx(upper_bound_of_share(0, 100) * 200));

  CHECK(false_names_at(calibration(1, {0.4, 0.3, 0.3, 0.3, 0.1}), 2).names == 1);  // equal ones stay together
  CHECK(false_names_at(calibration(1, {0.4, 0.3}), 100).names == 2);
  CHECK(false_names_at(calibration(1, {}), 1).threshold == 1);
}

TEST_CASE("Every track counts that could be given a name, however small its faces are", "[calibration]") {
  Timeline timeline;
  timeline.film.ticks_per_second = 1000;
  timeline.film.shown = {0, 1'800'000};
  const auto add = [&](Verdict verdict, std::vector<Candidate> candidates) {
    Track& track = timeline.tracks.emplace_back();
    track.verdict = verdict;
    track.candidates = std::move(candidates);
  };
  add(Verdict::kUnsure, {{"Anna", 0.3}, {"Ben", 0.2}});
  add(Verdict::kTooSmall, {{"Ben", 0.4}});
  add(Verdict::kUnsure, {});
  TrackCalibration found;
  add_film(found, timeline);
  CHECK(found.hours == Approx(0.5));
  CHECK(found.tracks == 2);
  CHECK(found.scores == std::vector<double>{0.4, 0.3});
}

TEST_CASE("A calibration is read as it was written, and a damaged one refused", "[calibration]") {
  TrackCalibration written = calibration(1.5, {0.4, 0.3, -0.2});
  written.same_person = 0.35;
  const TrackCalibration read = read_track_calibration(to_json(written), "c.json");
  CHECK(read.scores == written.scores);
  CHECK(read.hours == written.hours);
  CHECK(read.same_person == written.same_person);
  CHECK(read.model == written.model);
  const auto refused = [&](const char* key, const Json& value) {
    Json json = to_json(written);
    json[key] = value;
    return fails_with(ErrorKind::kData, [&] { read_track_calibration(json, "c.json"); });
  };
  CHECK(refused("model", "y1"));
  CHECK(refused("hours", 0));
  CHECK(refused("scores", {0.3, 0.4}));
  CHECK(refused("scores", {3.0}));
  CHECK(refused("scores", "none"));
  CHECK(refused("same_person", 2.0));
  CHECK(refused("version", 2));
  CHECK(refused("tracks", 2));
}
