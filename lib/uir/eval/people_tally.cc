#include "uir/eval/people_tally.h"

#include <algorithm>

namespace uir {

PeopleTally::PeopleTally(const Roc& roc, std::span<const double> levels, int64_t people) : people_(people) {
  Plan plan{roc, roc.wins(), {levels.begin(), levels.end()}, {}};
  std::ranges::sort(plan.levels);
  for (const double level : levels)
    plan.ranks.push_back(
        static_cast<size_t>(std::ranges::lower_bound(plan.levels, level) - plan.levels.begin()) + 1);
  plan_ = std::make_shared<const Plan>(std::move(plan));
  counts_.resize(2 * (static_cast<size_t>(people) + 1) * num_slots());
  wins_.resize(2 * static_cast<size_t>(people));
}

size_t PeopleTally::slot_of(double score) const {
  const std::vector<double>& levels = plan_->levels;
  return static_cast<size_t>(std::ranges::upper_bound(levels, score) - levels.begin());
}

void PeopleTally::genuine(int64_t person, double score) {
  const size_t reached = slot_of(score);
  ++slot(person, reached, kGenuine);
  ++slot(people_, reached, kGenuine);
  wins_[static_cast<size_t>(2 * person)] += plan_->wins.genuine[plan_->roc.place_of(score).i];
}

void PeopleTally::impostor(int64_t a, int64_t b, double score) {
  const size_t reached = slot_of(score);
  const Roc::Place place = plan_->roc.place_of(score);
  const int64_t wins = place.equal ? plan_->wins.equal[place.i] : plan_->wins.between[place.i];
  const auto add_to = [&](int64_t person) {
    ++slot(person, reached, kImpostor);
    wins_[static_cast<size_t>(2 * person + 1)] += wins;
  };
  ++slot(people_, reached, kImpostor);
  add_to(a);
  if (a != b) add_to(b);
}

void PeopleTally::add(const PeopleTally& more) {
  for (size_t i = 0; i < counts_.size(); ++i) counts_[i] += more.counts_[i];
  for (size_t i = 0; i < wins_.size(); ++i) wins_[i] += more.wins_[i];
}

int64_t PeopleTally::count(int64_t person, size_t rank, Kind kind) const {
  int64_t sum = 0;
  for (size_t i = rank; i < num_slots(); ++i)
    sum += counts_[2 * (static_cast<size_t>(person) * num_slots() + i) + kind];
  return sum;
}

}  // namespace uir
