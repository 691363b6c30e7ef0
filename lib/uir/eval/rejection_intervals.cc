#include "uir/eval/rejection_intervals.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "uir/base/error.h"
#include "uir/eval/embedding_sets.h"
#include "uir/eval/quantile.h"
#include "uir/eval/share_uncertainty.h"
#include "uir/report/report.h"

namespace uir {
namespace {

// The faces of one side, and whose they are.
struct Side {
  std::vector<float> values;
  std::vector<int64_t> person;
  int64_t people = 0;

  int64_t size() const { return std::ssize(values); }
  std::vector<double> at_least(float threshold) const {
    std::vector<double> accepted;
    for (const float value : values) accepted.push_back(value >= threshold);
    return accepted;
  }
  std::vector<double> influences(std::span<const double> of_faces) const {
    return share_influences(of_faces, person, people);
  }
  double share_at_least(float threshold) const {
    return share(std::ranges::count_if(values, [&](float value) { return value >= threshold; }),
                 std::ssize(values));
  }
  // The largest threshold that keeps so many.
  float threshold_keeping(double kept) const {
    std::vector<float> sorted = values;
    std::ranges::sort(sorted);
    const size_t k = std::max<size_t>(count_of_share(kept, sorted.size()), 1);
    return sorted[sorted.size() - k];
  }
};

bool is_right(const ClassifiedSet& set, int64_t row) {
  return double{set.classes.row(row)[0]} == static_cast<double>(set.labels[static_cast<size_t>(row)]);
}

// known: labels are classes, the same in all sets.
Side side_of(std::span<const ClassifiedSet> sets, ClassColumn column, bool known, bool only_right) {
  Side side;
  std::map<std::pair<size_t, int64_t>, int64_t> people;
  for (size_t s = 0; s < sets.size(); ++s) {
    for (int64_t row = 0; row < sets[s].classes.rows; ++row) {
      if (only_right && !is_right(sets[s], row)) continue;
      const int64_t label = sets[s].labels[static_cast<size_t>(row)];
      const std::pair key{known ? 0 : s, label < 0 ? -1 - row : label};
      side.person.push_back(people.try_emplace(key, std::ssize(people)).first->second);
      side.values.push_back(sets[s].classes.row(row)[static_cast<size_t>(column)]);
    }
  }
  side.people = std::ssize(people);
  return side;
}

std::vector<double> times(double factor, std::vector<double> values) {
  for (double& value : values) value *= factor;
  return values;
}

Uncertainty with_events(Uncertainty uncertainty, int64_t events, const char* what) {
  uncertainty.impostor_events = events;
  if (uncertainty.resolution != Resolution::kNotResolved) uncertainty.resolution = resolution_of(events);
  if (uncertainty.resolution != Resolution::kNotResolved || !uncertainty.has_interval()) return uncertainty;
  Uncertainty unresolved;
  unresolved.impostor_events = events;
  unresolved.resolution = Resolution::kNotResolved;
  unresolved.note = concat("not resolved: ", events, " ", what);
  return unresolved;
}

Uncertainty rejected_keeping(const KeepResult& keep, const Side& known, const Side& strangers) {
  const auto threshold = static_cast<float>(keep.threshold);
  const double lost = 1 - keep.keep;
  const auto rejected_at = [&](double kept) {
    return 1 - strangers.share_at_least(known.threshold_keeping(std::max(kept, 0.0)));
  };
  const double b = lost > 0 ? (rejected_at(1 - 2 * lost) - rejected_at(1 - lost / 2)) / (-1.5 * lost) : 0;
  std::vector<double> rejected = strangers.at_least(threshold);
  for (double& value : rejected) value = 1 - value;
  // A known face more that is kept lowers the threshold: by b a share of the strangers less is rejected.
  return with_events(
      share_uncertainty(
          keep.strangers_below, strangers.size(),
          {strangers.influences(rejected), times(-b, known.influences(known.at_least(threshold)))}),
      static_cast<int64_t>(lost * static_cast<double>(known.size()) + 1e-9), "known faces are lost");
}

// accepted: of each known face at the chosen threshold.
Uncertainty accepted_at_chosen(double share, const std::vector<double>& accepted, double slope,
                               float threshold, double false_acceptance, const Side& known,
                               const Side& strangers) {
  return with_events(share_uncertainty(share, known.size(),
                                       {known.influences(accepted),
                                        times(-slope, strangers.influences(strangers.at_least(threshold)))}),
                     static_cast<int64_t>(false_acceptance * static_cast<double>(strangers.size()) + 1e-9),
                     "strangers may be let in");
}

void report_measure(const std::string& name, ClassColumn column, const RejectionMeasure& of,
                    std::span<const ClassifiedSet> known_sets, std::span<const ClassifiedSet> stranger_sets,
                    double false_acceptance, ProtocolResult& report) {
  const Side known = side_of(known_sets, column, true, false),
             right = side_of(known_sets, column, true, true),
             strangers = side_of(stranger_sets, column, false, false);
  const auto number = [&](double keep, const char* suffix) {
    return concat(name_with_rate("strangers_rejected_keeping", keep), suffix, "_by_", name);
  };
  for (const KeepResult& keep : of.keep)
    report.set_uncertainty(number(keep.keep, ""), rejected_keeping(keep, known, strangers));
  for (const KeepResult& keep : of.keep_right)
    report.set_uncertainty(number(keep.keep, "_right"), rejected_keeping(keep, right, strangers));

  const auto threshold = static_cast<float>(of.chosen.threshold);
  const float loose = strangers.threshold_keeping(std::min(1.0, 2 * false_acceptance)),
              strict = strangers.threshold_keeping(false_acceptance / 2);
  const double let_in = strangers.share_at_least(loose) - strangers.share_at_least(strict);
  const auto slope = [&](const Side& side) {
    const double more = side.share_at_least(loose) - side.share_at_least(strict);
    return let_in > 0 ? more * static_cast<double>(side.size()) / static_cast<double>(known.size()) / let_in
                      : 0;
  };
  const std::vector<double> accepted = known.at_least(threshold);
  report.set_uncertainty(concat("known_accepted_by_", name),
                         accepted_at_chosen(of.chosen.known_accepted, accepted, slope(known), threshold,
                                            false_acceptance, known, strangers));
  std::vector<double> accepted_right;
  for (const ClassifiedSet& set : known_sets) {
    for (int64_t row = 0; row < set.classes.rows; ++row)
      accepted_right.push_back(is_right(set, row) * accepted[accepted_right.size()]);
  }
  if (right.size() > 0)
    report.set_uncertainty(concat("known_accepted_right_by_", name),
                           accepted_at_chosen(of.chosen.known_accepted_right, accepted_right, slope(right),
                                              threshold, false_acceptance, known, strangers));
}

}  // namespace

void report_intervals(std::span<const ClassifiedSet> known, std::span<const ClassifiedSet> strangers,
                      const RejectionProtocol& config, const RejectionResult& result,
                      ProtocolResult& report) {
  const Side known_side = side_of(known, ClassColumn::kProbability, true, false),
             stranger_side = side_of(strangers, ClassColumn::kProbability, false, false);
  std::vector<double> right;
  for (const ClassifiedSet& set : known) {
    for (int64_t row = 0; row < set.classes.rows; ++row) right.push_back(is_right(set, row));
  }
  report.set_uncertainty("known_rank1",
                         share_uncertainty(result.rank1, known_side.size(), {known_side.influences(right)}));
  const std::vector<double> probabilities(stranger_side.values.begin(), stranger_side.values.end());
  report.set_uncertainty(
      "strangers_mean_probability",
      mean_uncertainty(result.strangers_mean_probability, stranger_side.influences(probabilities)));
  const auto measure = [&](const char* name, ClassColumn column, const RejectionMeasure& of) {
    report_measure(name, column, of, known, strangers, config.false_acceptance, report);
  };
  measure("probability", ClassColumn::kProbability, result.probability);
  measure("cosine", ClassColumn::kCosine, result.cosine);
  if (result.log_odds) measure("log_odds", ClassColumn::kLogOdds, *result.log_odds);
}

}  // namespace uir
