#include "uir/eval/identification_uncertainty.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "uir/base/error.h"
#include "uir/eval/share_uncertainty.h"
#include "uir/report/intervals.h"

namespace uir {
namespace {

bool hits(const IdentifiedProbe& probe, double threshold) {
  return probe.own > probe.other && probe.own > threshold;
}
bool hits_without_other(const IdentifiedProbe& probe, double threshold) {
  return probe.own > probe.second && probe.own > threshold;
}

double share_of(int64_t count, int64_t all) { return static_cast<double>(count) / static_cast<double>(all); }

// Of the probes: Σn_i²/n², the share of one of as many people as if all had the same number.
double concentration(const std::vector<int64_t>& probes, int64_t all) {
  double squares = 0;
  for (const int64_t own : probes) squares += share_of(own, all) * share_of(own, all);
  return squares;
}

// As set_interval(), or why there is none.
void set_interval_or_why(double rate, const std::optional<Variance>& variance, double least, double part,
                         Uncertainty& uncertainty) {
  if (variance) return set_interval(rate, *variance, least, part, uncertainty);
  uncertainty.note = "fewer than three people have probes";
  uncertainty.resolution = Resolution::kNotResolved;
}

}  // namespace

IdentificationUncertainty::IdentificationUncertainty(std::span<const IdentifiedProbe> probes, int64_t people,
                                                     int64_t lone)
    : probes_(probes),
      mated_(static_cast<size_t>(people)),
      non_mated_(static_cast<size_t>(people)),
      num_non_mated_(lone) {
  std::fill(non_mated_.end() - lone, non_mated_.end(), 1);
  for (const IdentifiedProbe& probe : probes) {
    if (probe.person >= people - lone) continue;
    ++(probe.mated ? mated_ : non_mated_)[static_cast<size_t>(probe.person)];
    ++(probe.mated ? num_mated_ : num_non_mated_);
  }
}

// Without person i: i's hits are gone, others are gained.
auto IdentificationUncertainty::hits(double threshold) const -> Falls {
  std::vector<int64_t> own(mated_.size()), gained(mated_.size());
  int64_t all = 0;
  for (const IdentifiedProbe& probe : probes_) {
    if (!probe.mated) continue;
    if (uir::hits(probe, threshold)) {
      ++own[static_cast<size_t>(probe.person)];
      ++all;
    } else if (probe.other_person >= 0 && hits_without_other(probe, threshold)) {
      ++gained[static_cast<size_t>(probe.other_person)];
    }
  }
  Falls falls{share_of(all, num_mated_), std::vector<double>(mated_.size())};
  for (size_t i = 0; i < mated_.size(); ++i) {
    const int64_t left = num_mated_ - mated_[i];
    if (left > 0) falls.of[i] = falls.rate - share_of(all - own[i] + gained[i], left);
  }
  return falls;
}

// Without a person of the gallery some strangers are no longer accepted; a stranger takes their own along.
auto IdentificationUncertainty::false_alarms(double threshold) const -> Falls {
  std::vector<int64_t> own(mated_.size()), ended(mated_.size());
  int64_t all = 0;
  for (const IdentifiedProbe& probe : probes_) {
    if (probe.mated || !(probe.other > threshold)) continue;
    ++all;
    ++own[static_cast<size_t>(probe.person)];
    if (!(probe.second > threshold)) ++ended[static_cast<size_t>(probe.other_person)];
  }
  Falls falls{share_of(all, num_non_mated_), std::vector<double>(mated_.size())};
  for (size_t i = 0; i < mated_.size(); ++i) {
    const int64_t left = num_non_mated_ - non_mated_[i];
    if (left > 0) falls.of[i] = falls.rate - share_of(all - own[i] - ended[i], left);
  }
  return falls;
}

auto IdentificationUncertainty::groups_of(const std::vector<double>& influences) const -> Groups {
  Groups groups;
  for (size_t i = 0; i < influences.size(); ++i)
    (non_mated_[i] > 0 ? groups.strangers : groups.known).push_back(influences[i]);
  return groups;
}

std::optional<Variance> IdentificationUncertainty::Groups::variance() const {
  const std::optional<Variance> of_known = variance_of(known), of_strangers = variance_of(strangers);
  return of_known && of_strangers ? std::optional(sum_of(*of_known, *of_strangers)) : std::nullopt;
}

Uncertainty IdentificationUncertainty::rank1() const { return dir_at(OtherScores::kNone); }

Uncertainty IdentificationUncertainty::dir_at(double threshold) const {
  const Falls falls = hits(threshold);
  std::vector<double> influences = groups_of(falls.of).known;
  const double squares = concentration(mated_, num_mated_);
  Uncertainty uncertainty;
  uncertainty.genuine_events = std::llround((1 - falls.rate) * static_cast<double>(num_mated_));
  uncertainty.effective_people = 1 / squares;
  set_interval_or_why(falls.rate, variance_of(influences),
                      falls.rate * (1 - falls.rate) / static_cast<double>(num_mated_), squares, uncertainty);
  uncertainty.influences = {std::move(influences)};
  return uncertainty;
}

Uncertainty IdentificationUncertainty::false_alarms_at(double threshold) const {
  const Falls alarms = false_alarms(threshold);
  Groups groups = groups_of(alarms.of);
  const std::optional<Variance> variance = groups.variance();
  const double squares = concentration(non_mated_, num_non_mated_);
  Uncertainty uncertainty;
  uncertainty.impostor_events = std::llround(alarms.rate * static_cast<double>(num_non_mated_));
  uncertainty.effective_people = 1 / squares;
  uncertainty.resolution = resolution_of(uncertainty.impostor_events);
  if (variance && uncertainty.resolution == Resolution::kNotResolved) {  // too few to tell their own variance
    set_few_events(uncertainty.impostor_events, num_non_mated_, design_effect(), uncertainty);
    return uncertainty;
  }
  const double independent = alarms.rate * (1 - alarms.rate) / static_cast<double>(num_non_mated_);
  set_interval_or_why(alarms.rate, variance, independent, squares, uncertainty);
  if (!uncertainty.has_interval()) return uncertainty;
  if (independent > 0)
    uncertainty.effective_events =
        static_cast<double>(uncertainty.impostor_events) / std::max(1.0, variance->value / independent);
  uncertainty.influences = {std::move(groups.known), std::move(groups.strangers)};
  return uncertainty;
}

// By how much the variance of the share of strangers is larger than that of independent probes.
double IdentificationUncertainty::design_effect() const {
  constexpr int64_t kEvents = 50;
  std::vector<double> scores;
  for (const IdentifiedProbe& probe : probes_) {
    if (!probe.mated) scores.push_back(probe.other);
  }
  const int64_t events = std::min(kEvents, num_non_mated_ / 2);
  std::ranges::nth_element(scores, scores.begin() + events, std::greater());
  const Falls alarms = false_alarms(scores[static_cast<size_t>(events)]);
  const std::optional<Variance> variance = groups_of(alarms.of).variance();
  const double independent = alarms.rate * (1 - alarms.rate) / static_cast<double>(num_non_mated_);
  return variance && independent > 0 ? std::max(1.0, variance->value / independent) : 1;
}

std::vector<double> IdentificationUncertainty::dir_influences(double far,
                                                              const ThresholdAt& threshold_at) const {
  const double threshold = threshold_at(far), at_twice = threshold_at(std::min(1.0, 2 * far)),
               at_half = threshold_at(far / 2);
  const Falls found = hits(threshold), alarms = false_alarms(threshold);
  const double more = false_alarms(at_twice).rate - false_alarms(at_half).rate;
  const double b = more > 0 ? (hits(at_twice).rate - hits(at_half).rate) / more : 0;
  std::vector<double> influences;
  for (size_t i = 0; i < mated_.size(); ++i) influences.push_back(found.of[i] - b * alarms.of[i]);
  return influences;
}

Uncertainty IdentificationUncertainty::dir(double far, const ThresholdAt& threshold_at) const {
  const double found = hits(threshold_at(far)).rate;
  Uncertainty uncertainty;
  uncertainty.impostor_events = static_cast<int64_t>(far * static_cast<double>(num_non_mated_) + 1e-9);
  uncertainty.genuine_events = std::llround((1 - found) * static_cast<double>(num_mated_));
  uncertainty.resolution = resolution_of(uncertainty.impostor_events);
  const double squares = concentration(mated_, num_mated_);
  uncertainty.effective_people = 1 / squares;
  if (uncertainty.resolution == Resolution::kNotResolved) {
    uncertainty.note =
        concat("not resolved: ", uncertainty.impostor_events, " strangers may be accepted at this rate");
    return uncertainty;
  }
  Groups groups = groups_of(dir_influences(far, threshold_at));
  set_interval_or_why(found, groups.variance(), found * (1 - found) / static_cast<double>(num_mated_),
                      squares, uncertainty);
  uncertainty.influences = {std::move(groups.known), std::move(groups.strangers)};
  return uncertainty;
}

}  // namespace uir
