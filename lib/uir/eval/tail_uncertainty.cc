#include "uir/eval/tail_uncertainty.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "uir/base/error.h"
#include "uir/eval/share_uncertainty.h"
#include "uir/report/intervals.h"

namespace uir {
namespace {

// Why there is no interval; empty where there is one.
std::string problem_of(const TailRate& rate, std::span<const TailPairs> people,
                       const TailDistractors& distractors) {
  if (people.size() < 3) return "fewer than three people have pairs";
  if (!distractors.accepted.empty() && distractors.accepted.size() < 3) return "fewer than three distractors";
  for (const TailPairs& person : people) {
    if (person.genuine == rate.genuine) return "one person owns all genuine pairs";
    if (person.impostors == rate.impostors) return "one person stands in every impostor pair";
  }
  return {};
}

// Influences on the FAR: of people, of distractors.
std::vector<std::vector<double>> far_influences(const TailRate& rate, std::span<const TailPairs> people,
                                                const TailDistractors& distractors) {
  const auto all = static_cast<double>(rate.impostors);
  const double far = static_cast<double>(rate.allowed) / all;
  const auto influence = [&](int64_t accepted, int64_t impostors) {
    const auto own = static_cast<double>(impostors);
    return (static_cast<double>(accepted) - far * own) / (all - own);
  };
  std::vector<std::vector<double>> groups(1);
  for (const TailPairs& person : people) groups[0].push_back(influence(person.accepted, person.impostors));
  if (distractors.accepted.empty()) return groups;
  std::vector<double>& lone = groups.emplace_back();
  for (const int64_t accepted : distractors.accepted)
    lone.push_back(influence(accepted, distractors.impostors_each));
  return groups;
}

Variance sum_of_groups(const std::vector<std::vector<double>>& groups) {
  std::optional<Variance> sum;
  for (const std::vector<double>& group : groups) {
    const Variance variance = variance_of(group).value();
    sum = sum ? sum_of(*sum, variance) : variance;
  }
  return *sum;
}

}  // namespace

Uncertainty tail_uncertainty(const TailRate& rate, std::span<const TailPairs> people,
                             const TailDistractors& distractors) {
  Uncertainty uncertainty;
  uncertainty.note = problem_of(rate, people, distractors);
  if (!uncertainty.note.empty()) {
    uncertainty.resolution = Resolution::kNotResolved;
    return uncertainty;
  }
  std::vector<int64_t> genuine;
  for (const TailPairs& person : people) genuine.push_back(person.genuine);
  const double part = concentration(genuine), n = static_cast<double>(rate.genuine);
  const double far = static_cast<double>(rate.allowed) / static_cast<double>(rate.impostors);
  const double tar = static_cast<double>(rate.found) / n;

  std::vector<std::vector<double>> groups = far_influences(rate, people, distractors);
  const double independent = far * (1 - far) / static_cast<double>(rate.impostors);
  const double effect = independent > 0 ? std::max(1.0, sum_of_groups(groups).value / independent) : 1;
  uncertainty.impostor_events = rate.allowed;
  uncertainty.effective_events = static_cast<double>(rate.allowed) / effect;
  uncertainty.genuine_events = rate.genuine - rate.found;
  uncertainty.effective_people = 1 / part;
  uncertainty.resolution = resolution_of(rate.allowed);
  if (uncertainty.resolution == Resolution::kNotResolved) {
    uncertainty.note = concat("not resolved: ", rate.allowed, " impostor pairs may be accepted at this rate");
    return uncertainty;
  }

  // The threshold's part: −b·(C − p·M)/p of N pairs.
  for (std::vector<double>& group : groups) {
    for (double& influence : group) influence *= -rate.slope / far;
  }
  for (size_t i = 0; i < people.size(); ++i) {
    const auto own = static_cast<double>(people[i].genuine);
    groups[0][i] += (static_cast<double>(people[i].found) - tar * own) / (n - own);
  }
  set_interval(tar, sum_of_groups(groups), tar * (1 - tar) / n, part, uncertainty);
  if (!distractors.accepted.empty()) uncertainty = with_caveat(std::move(uncertainty), kLoneDistractors);
  uncertainty.influences = std::move(groups);
  return uncertainty;
}

}  // namespace uir
