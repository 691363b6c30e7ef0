#include "uir/identify/track_calibration.h"

#include <algorithm>
#include <cmath>

#include "uir/base/error.h"

namespace uir {
namespace {

constexpr size_t kMostScores = 10'000;

// P(X <= events) of a binomial distribution.
double binomial_cdf(int64_t events, int64_t trials, double p) {
  const auto n = static_cast<double>(trials);
  double sum = 0;
  for (int64_t k = 0; k <= events; ++k) {
    const auto x = static_cast<double>(k);
    sum += std::exp(std::lgamma(n + 1) - std::lgamma(x + 1) - std::lgamma(n - x + 1) + x * std::log(p) +
                    (n - x) * std::log1p(-p));
  }
  return sum;
}

}  // namespace

double upper_bound_of_share(int64_t events, int64_t trials) {
  if (events >= trials) return 1;
  double low = 0, high = 1;
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    (binomial_cdf(events, trials, middle) > 0.05 ? low : high) = middle;
  }
  return high;
}

FalseNames false_names_at(const TrackCalibration& calibration, double wanted_per_hour) {
  constexpr double kMargin = 0.01;  // above the highest score, where nothing lies above
  const std::vector<double>& scores = calibration.scores;
  auto allowed = static_cast<size_t>(
      std::min(std::floor(wanted_per_hour * calibration.hours), static_cast<double>(scores.size())));
  while (allowed > 0 && allowed < scores.size() && scores[allowed] == scores[allowed - 1]) --allowed;
  FalseNames found;
  found.names = static_cast<int64_t>(allowed);
  if (scores.empty()) {
    found.threshold = 1;
  } else if (allowed == 0) {
    found.threshold = scores[0] + kMargin;
  } else {
    const double below = allowed < scores.size() ? scores[allowed] : -1;
    found.threshold = (scores[allowed - 1] + below) / 2;
  }
  found.is_bound = found.names < kResolvingNames;
  if (found.is_bound) {
    const double share = upper_bound_of_share(found.names, calibration.tracks);
    found.per_hour = share * static_cast<double>(calibration.tracks) / calibration.hours;
  } else {
    found.per_hour = static_cast<double>(found.names) / calibration.hours;
  }
  return found;
}

void add_film(TrackCalibration& calibration, const Timeline& timeline) {
  constexpr double kSecondsOfHour = 3600;
  calibration.hours += static_cast<double>(timeline.film.shown.length()) /
                       static_cast<double>(timeline.film.ticks_per_second) / kSecondsOfHour;
  for (const Track& track : timeline.tracks) {
    if (track.candidates.empty()) continue;
    ++calibration.tracks;
    calibration.scores.push_back(track.candidates.front().score);
  }
  std::ranges::sort(calibration.scores, std::greater<>());
  if (calibration.scores.size() > kMostScores) calibration.scores.resize(kMostScores);
}

Json to_json(const TrackCalibration& calibration) {
  return {{"format", kTrackCalibration},  {"version", 1},
          {"model", calibration.model},   {"gallery", calibration.gallery},
          {"people", calibration.people}, {"hours", calibration.hours},
          {"tracks", calibration.tracks}, {"same_person", calibration.same_person},
          {"scores", calibration.scores}};
}

TrackCalibration read_track_calibration(const Json& json, const std::string& place) {
  const auto wrong = [&](const char* what) { fail(ErrorKind::kData, place, ": ", what); };
  TrackCalibration calibration{json_at<Json>(json, "model", place),
                               json_at<std::string>(json, "gallery", place),
                               json_at<int64_t>(json, "people", place),
                               json_at<double>(json, "hours", place),
                               json_at<int64_t>(json, "tracks", place),
                               json_at<double>(json, "same_person", place),
                               json_at<std::vector<double>>(json, "scores", place)};
  if (json_at<int64_t>(json, "version", place) != 1) wrong("a version that this program does not know");
  if (!calibration.model.is_object()) wrong("'model' is no object");
  if (!(calibration.hours > 0)) wrong("'hours' must be above 0");
  if (calibration.tracks < static_cast<int64_t>(calibration.scores.size())) wrong("more scores than tracks");
  const auto is_cosine = [](double x) { return x >= -1.001 && x <= 1.001; };
  if (!is_cosine(calibration.same_person) || !std::ranges::all_of(calibration.scores, is_cosine))
    wrong("a score that is no cosine");
  if (!std::ranges::is_sorted(calibration.scores, std::greater<>())) wrong("scores must descend");
  return calibration;
}

}  // namespace uir
