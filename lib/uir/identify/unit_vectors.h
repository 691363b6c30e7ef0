// Small sums of embeddings, in float64.
#pragma once

#include <cmath>
#include <span>
#include <vector>

namespace uir {

inline double dot_of(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += double{a[i]} * double{b[i]};
  return sum;
}
inline double norm_of(std::span<const float> a) { return std::sqrt(dot_of(a, a)); }

// 0 where one of them is zero.
inline double cosine_of(std::span<const float> a, std::span<const float> b) {
  const double norms = norm_of(a) * norm_of(b);
  return norms > 0 ? dot_of(a, b) / norms : 0;
}

// sum += weight · a
inline void add_to(std::vector<double>& sum, std::span<const float> a, double weight) {
  sum.resize(a.size());
  for (size_t i = 0; i < a.size(); ++i) sum[i] += weight * double{a[i]};
}

// Of length 1; zero stays zero.
inline std::vector<float> unit_vector(const std::vector<double>& sum) {
  double square = 0;
  for (const double x : sum) square += x * x;
  const double scale = square > 0 ? 1 / std::sqrt(square) : 0;
  std::vector<float> unit;
  for (const double x : sum) unit.push_back(static_cast<float>(x * scale));
  return unit;
}

}  // namespace uir
