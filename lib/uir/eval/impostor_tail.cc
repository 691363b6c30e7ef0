#include "uir/eval/impostor_tail.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace uir {

double normal_quantile(double p) {
  double low = -40, high = 40;
  for (int i = 0; i < 200; ++i) {
    const double middle = (low + high) / 2;
    (std::erfc(middle / std::sqrt(2.0)) / 2 > p ? low : high) = middle;
  }
  return (low + high) / 2;
}

double impostor_threshold(std::vector<double> scores, double near, double far, double p) {
  std::ranges::sort(scores, std::greater());
  const auto at = [&](double rate) {
    return scores[static_cast<size_t>(rate * static_cast<double>(scores.size()))];
  };
  const double z = normal_quantile(far);
  const double slope = (at(far) - at(near)) / (z - normal_quantile(near));
  return at(far) + slope * (normal_quantile(p) - z);
}

}  // namespace uir
