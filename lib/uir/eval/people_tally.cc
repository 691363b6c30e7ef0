#include "uir/eval/people_tally.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace uir {
namespace {

constexpr int32_t kLevelInside = -1;

}  // namespace

// Most levels are genuine scores, or just above one: then a score's place on the ROC says what it reaches.
struct PeopleTally::Plan {
  Roc roc;
  Roc::Wins wins;
  std::vector<double> levels;           // ascending
  std::vector<size_t> ranks;            // of the given ones: 1 + their place among these
  std::vector<int32_t> between, equal;  // levels that a score there reaches; kLevelInside: that depends

  Plan(const Roc& of, std::span<const double> given)
      : roc(of), wins(of.wins()), levels(given.begin(), given.end()) {
    std::ranges::sort(levels);
    for (const double level : given)
      ranks.push_back(static_cast<size_t>(std::ranges::lower_bound(levels, level) - levels.begin()) + 1);
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    double last = -kInfinity;
    for (const double score : roc.distinct_genuine()) {
      between.push_back(in_gap(last, score));
      equal.push_back(reached(score));
      last = score;
    }
    between.push_back(in_gap(last, kInfinity));
  }
  int32_t reached(double score) const {
    return static_cast<int32_t>(std::ranges::upper_bound(levels, score) - levels.begin());
  }
  int32_t in_gap(double low, double high) const {
    const double lowest = std::nextafter(low, high), highest = std::nextafter(high, low);
    return reached(lowest) == reached(highest) ? reached(lowest) : kLevelInside;
  }
};

void PeopleTally::Pairs::add(const Pairs& more) {
  genuine += more.genuine;
  impostors += more.impostors;
  genuine_wins += more.genuine_wins;
  wins_over_impostors += more.wins_over_impostors;
}

PeopleTally::PeopleTally(const Roc& roc, std::span<const double> levels, int64_t people)
    : plan_(std::make_shared<const Plan>(roc, levels)),
      of_(static_cast<size_t>(people)),
      counts_(2 * (static_cast<size_t>(people) + 1) * levels.size()) {}

size_t PeopleTally::reached(double score, const Roc::Place& place) const {
  const int32_t known = place.equal ? plan_->equal[place.i] : plan_->between[place.i];
  return static_cast<size_t>(known == kLevelInside ? plan_->reached(score) : known);
}

size_t PeopleTally::slot(int64_t person, size_t reached, Kind kind) const {
  return 2 * (static_cast<size_t>(person) * plan_->levels.size() + reached - 1) + kind;
}

void PeopleTally::genuine(int64_t person, double score) {
  const Roc::Place place = plan_->roc.place_of(score);
  Pairs& own = of_[static_cast<size_t>(person)];
  ++all_.genuine;
  ++own.genuine;
  own.genuine_wins += plan_->wins.genuine[place.i];
  const size_t levels = reached(score, place);
  if (levels == 0) return;
  ++counts_[slot(person, levels, kGenuine)];
  ++counts_[slot(people(), levels, kGenuine)];
}

void PeopleTally::impostor(int64_t a, int64_t b, double score) {
  const Roc::Place place = plan_->roc.place_of(score);
  const int64_t wins = place.equal ? plan_->wins.equal[place.i] : plan_->wins.between[place.i];
  const size_t levels = reached(score, place);
  const auto add_to = [&](int64_t person) {
    Pairs& own = of_[static_cast<size_t>(person)];
    ++own.impostors;
    own.wins_over_impostors += wins;
    if (levels > 0) ++counts_[slot(person, levels, kImpostor)];
  };
  ++all_.impostors;
  if (levels > 0) ++counts_[slot(people(), levels, kImpostor)];
  add_to(a);
  if (a != b) add_to(b);
}

void PeopleTally::add(const PeopleTally& more) {
  all_.add(more.all_);
  for (size_t i = 0; i < of_.size(); ++i) of_[i].add(more.of_[i]);
  for (size_t i = 0; i < counts_.size(); ++i) counts_[i] += more.counts_[i];
}

int64_t PeopleTally::accepted(size_t level, int64_t person, Kind kind) const {
  int64_t count = 0;
  for (size_t reached = plan_->ranks[level]; reached <= plan_->levels.size(); ++reached)
    count += counts_[slot(person, reached, kind)];
  return count;
}

}  // namespace uir
