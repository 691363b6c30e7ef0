#include "uir/eval/share_uncertainty.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "uir/base/error.h"

namespace uir {
namespace {

Uncertainty too_few_people() {
  Uncertainty uncertainty;
  uncertainty.note = "fewer than three people, or one who has all faces";
  uncertainty.resolution = Resolution::kNotResolved;
  return uncertainty;
}

}  // namespace

Resolution resolution_of(int64_t events) {
  if (events < kLeastEvents) return Resolution::kNotResolved;
  return events < kStrongEvents ? Resolution::kWeak : Resolution::kResolved;
}

void set_interval(double rate, Variance variance, double least, double part, Uncertainty& uncertainty) {
  if (rate > 0 && rate < 1) {
    variance.value = std::max(variance.value, least);
    if (variance.value == 0) {
      uncertainty.note = "all people are alike";
      uncertainty.resolution = Resolution::kNotResolved;
      return;
    }
    const Interval interval = interval_of_rate(rate, variance);
    uncertainty.low = interval.low;
    uncertainty.high = interval.high;
    return;
  }
  const double bound = std::min(1.0, 3 * part);
  uncertainty.low = rate <= 0 ? 0 : 1 - bound;
  uncertainty.high = rate <= 0 ? bound : 1;
  uncertainty.note = rate <= 0 ? "none: a bound of one side" : "all: a bound of one side";
}

double concentration(std::span<const int64_t> numbers) {
  double squares = 0, all = 0;
  for (const int64_t number : numbers) {
    squares += static_cast<double>(number) * static_cast<double>(number);
    all += static_cast<double>(number);
  }
  return squares / (all * all);
}

void set_few_events(int64_t events, int64_t trials, double design_effect, Uncertainty& uncertainty) {
  const double worth = static_cast<double>(events) / design_effect,
               independent = static_cast<double>(trials) / design_effect;
  uncertainty.effective_events = worth;
  if (events == 0) return set_interval(0, {}, 0, 1 / independent, uncertainty);
  const Interval interval = clopper_pearson(worth, independent);
  uncertainty.low = interval.low;
  uncertainty.high = interval.high;
  uncertainty.note = "Clopper and Pearson";
}

Uncertainty with_caveat(Uncertainty uncertainty, std::string_view caveat) {
  if (uncertainty.has_interval() && !caveat.empty())
    uncertainty.note += concat(uncertainty.note.empty() ? "" : "; ", caveat);
  return uncertainty;
}

std::vector<double> share_influences(std::span<const double> values, std::span<const int64_t> person,
                                     int64_t people) {
  std::vector<double> sums(static_cast<size_t>(people));
  std::vector<int64_t> faces(static_cast<size_t>(people));
  double sum = 0;
  for (size_t f = 0; f < values.size(); ++f) {
    sums[static_cast<size_t>(person[f])] += values[f];
    ++faces[static_cast<size_t>(person[f])];
    sum += values[f];
  }
  const auto all = static_cast<double>(values.size());
  const double mean = sum / all;
  std::vector<double> influences;
  for (size_t i = 0; i < sums.size(); ++i) {
    const auto own = static_cast<double>(faces[i]);
    if (own == all) return {};
    if (own > 0) influences.push_back((sums[i] - mean * own) / (all - own));
  }
  return influences;
}

Uncertainty share_uncertainty(double share, int64_t trials, std::vector<std::vector<double>> groups,
                              double part) {
  std::optional<Variance> sum;
  for (const std::vector<double>& group : groups) {
    const std::optional<Variance> variance = variance_of(group);
    if (!variance) return too_few_people();
    sum = sum ? sum_of(*sum, *variance) : *variance;
  }
  Uncertainty uncertainty;
  set_interval(share, *sum, share * (1 - share) / static_cast<double>(trials),
               part > 0 ? part : 1 / static_cast<double>(groups.front().size()), uncertainty);
  uncertainty.influences = std::move(groups);
  return uncertainty;
}

Uncertainty mean_uncertainty(double mean, std::vector<double> influences) {
  const std::optional<Variance> variance = variance_of(influences);
  if (!variance) return too_few_people();
  Uncertainty uncertainty;
  const Interval interval = interval_of_mean(mean, *variance);
  uncertainty.low = interval.low;
  uncertainty.high = interval.high;
  uncertainty.influences = {std::move(influences)};
  return uncertainty;
}

}  // namespace uir
