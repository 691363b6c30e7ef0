#include "uir/report/intervals.h"

#include <algorithm>
#include <boost/math/distributions/beta.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <numeric>

namespace uir {
namespace {

constexpr double kTail = 0.025;  // on either side

}  // namespace

std::optional<Variance> variance_of(std::vector<double> influences) {
  if (influences.size() < 3) return std::nullopt;
  const auto people = static_cast<double>(influences.size());
  const double mean = std::accumulate(influences.begin(), influences.end(), 0.0) / people;
  double squares = 0, fourths = 0;
  for (const double influence : influences) {
    const double square = (influence - mean) * (influence - mean);
    squares += square;
    fourths += square * square;
  }
  const double lowest = std::min(4.0, people - 1), highest = people - 1;
  const double excess = fourths - squares * squares / people;
  const double df = excess > 0 ? 2 * squares * squares / excess : highest;
  return Variance{(people - 1) / people * squares, std::clamp(df, lowest, highest)};
}

Variance sum_of(const Variance& a, const Variance& b) {
  const double sum = a.value + b.value;
  if (sum == 0) return {0, std::min(a.df, b.df)};
  return {sum, sum * sum / (a.value * a.value / a.df + b.value * b.value / b.df)};
}

double t_quantile(double df) {
  return boost::math::quantile(boost::math::complement(boost::math::students_t(df), kTail));
}

Interval interval_of_mean(double value, const Variance& variance) {
  const double half = t_quantile(variance.df) * std::sqrt(variance.value);
  return {value - half, value + half};
}

Interval interval_of_rate(double rate, const Variance& variance) {
  const double half = t_quantile(variance.df) * std::sqrt(variance.value) / (rate * (1 - rate));
  const double logit = std::log(rate / (1 - rate));
  const auto logistic = [](double x) { return 1 / (1 + std::exp(-x)); };
  return {logistic(logit - half), logistic(logit + half)};
}

Interval clopper_pearson(double events, double trials) {
  using Beta = boost::math::beta_distribution<>;
  Interval interval{0, 1};
  if (events > 0) interval.low = boost::math::quantile(Beta(events, trials - events + 1), kTail);
  if (events < trials) {
    const Beta above(events + 1, trials - events);
    interval.high = boost::math::quantile(boost::math::complement(above, kTail));
  }
  return interval;
}

}  // namespace uir
