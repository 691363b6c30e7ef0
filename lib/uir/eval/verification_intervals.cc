#include "uir/eval/verification_intervals.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "uir/base/error.h"
#include "uir/eval/pair_people.h"
#include "uir/eval/pair_uncertainty.h"
#include "uir/eval/report_roc.h"
#include "uir/eval/share_uncertainty.h"
#include "uir/report/intervals.h"

namespace uir {
namespace {

constexpr double kNotDefined = std::numeric_limits<double>::quiet_NaN();

// Of a mean over folds.
Uncertainty over_folds(const VerificationResult& result, double mean, double FoldResult::*member) {
  Uncertainty uncertainty;
  uncertainty.note = "over the folds";
  const double others = static_cast<double>(result.folds.size()) - 1;
  if (others < 2) {
    uncertainty.note = "fewer than three folds";
    uncertainty.resolution = Resolution::kNotResolved;
    return uncertainty;
  }
  std::vector<double> influences;
  for (const FoldResult& fold : result.folds) influences.push_back((fold.*member - mean) / others);
  const Interval interval = interval_of_mean(mean, {variance_of(influences)->value, others});
  uncertainty.influences = {std::move(influences)};
  uncertainty.low = interval.low;
  uncertainty.high = std::min(1.0, interval.high);
  return uncertainty;
}

// Each wrong decision counts for the people of its pair.
Uncertainty of_accuracy(const std::vector<double>& distances, const PairList& pairs,
                        const VerificationResult& result, const PairPeople& people) {
  std::vector<int64_t> stands_in(static_cast<size_t>(people.size)), wrong(stands_in);
  int64_t errors = 0;
  for (size_t i = 0; i < distances.size(); ++i) {
    const Pair& pair = pairs.pairs[i];
    const double threshold = result.folds[static_cast<size_t>(pairs.folds[i])].threshold;
    const int64_t error = (distances[i] < threshold) != pair.same;
    const auto a = static_cast<size_t>(people.unit[pair.a]), b = static_cast<size_t>(people.unit[pair.b]);
    errors += error;
    ++stands_in[a], wrong[a] += error;
    if (a != b) ++stands_in[b], wrong[b] += error;
  }
  const auto all = static_cast<double>(distances.size());
  const double rate = static_cast<double>(errors) / all;
  std::vector<double> influences;
  for (size_t i = 0; i < stands_in.size(); ++i) {
    const auto own = static_cast<double>(stands_in[i]);
    if (own > 0 && own < all)
      influences.push_back((rate * own - static_cast<double>(wrong[i])) / (all - own));
  }
  Uncertainty uncertainty;
  uncertainty.note = people.caveat;
  const std::optional<Variance> variance = variance_of(influences);
  if (!variance || errors == 0 || rate == 1) {
    uncertainty.note = variance ? "no wrong decision" : "fewer than three people have pairs";
    uncertainty.resolution = Resolution::kNotResolved;
    return uncertainty;
  }
  uncertainty.influences = {std::move(influences)};
  set_interval(1 - rate, *variance, rate * (1 - rate) / all, 1, uncertainty);
  return uncertainty;
}

Uncertainty of_val(const VerificationResult& result, int64_t impostors) {
  const auto events = static_cast<int64_t>(kValFar * static_cast<double>(impostors));
  Uncertainty uncertainty = over_folds(result, result.val, &FoldResult::val);
  uncertainty.impostor_events = events;
  uncertainty.resolution = resolution_of(events);
  if (uncertainty.resolution != Resolution::kNotResolved) return uncertainty;
  uncertainty.low = uncertainty.high = kNotDefined;
  uncertainty.note = concat("not resolved: ", events, " impostor pairs may be accepted at this rate");
  return uncertainty;
}

void report_pairs(const std::vector<double>& distances, const PairList& pairs, const Roc& roc,
                  std::span<const double> fars, const GivenThresholds& given, const PairPeople& people,
                  ProtocolResult& report) {
  std::vector<double> thresholds(given.common.begin(), given.common.end());
  for (const FixedThreshold& wanted : given.calibrated) thresholds.push_back(wanted.score);
  const PairUncertainty uncertainty(roc, fars, thresholds, PairUncertainty::kBandPoints);
  PeopleTally tally = uncertainty.empty_tally(people.size);
  for (size_t i = 0; i < distances.size(); ++i) {
    const Pair& pair = pairs.pairs[i];
    if (pair.same) {
      tally.genuine(people.unit[pair.a], -distances[i]);
    } else {
      tally.impostor(people.unit[pair.a], people.unit[pair.b], -distances[i]);
    }
  }
  for (size_t t = 0; t < given.calibrated.size(); ++t) {
    const double rate = given.calibrated[t].rate;
    const size_t threshold = given.common.size() + t;
    report.set_uncertainty(name_with_rate("tar_calibrated_for", rate),
                           with_caveat(uncertainty.tar_at(tally, threshold), people.caveat));
    report.set_uncertainty(name_with_rate("far_calibrated_for", rate),
                           with_caveat(uncertainty.far_at(tally, threshold), people.caveat));
  }
  uncertainty.report(tally, people.caveat, report);
  if (!given.common.empty()) uncertainty.report_common(tally, people.caveat, report);
}

}  // namespace

void report_intervals(const std::vector<double>& distances, const PairList& pairs,
                      const VerificationResult& result, std::span<const double> fars,
                      const GivenThresholds& given, std::span<const int64_t> labels, ProtocolResult& report) {
  const PairPeople people = people_of(pairs, labels);
  if (!result.folds.empty()) {
    const bool folds = people.size == pairs.num_folds && !people.caveat.empty();
    report.set_uncertainty("accuracy", folds ? over_folds(result, result.accuracy, &FoldResult::accuracy)
                                             : of_accuracy(distances, pairs, result, people));
    if (!std::isnan(result.val)) report.set_uncertainty("val", of_val(result, result.roc.num_impostor()));
  }
  if (result.roc.defined()) return report_pairs(distances, pairs, result.roc, fars, given, people, report);
  CommonRates rates(given.common);
  for (size_t i = 0; i < distances.size(); ++i) rates.add(pairs.pairs[i].same, -distances[i]);
  rates.report(fars, report);
}

}  // namespace uir
