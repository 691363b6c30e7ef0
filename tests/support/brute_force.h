// Independent implementations in float64, written from the protocols' words and nothing else, and random data
// for them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "uir/base/error.h"
#include "uir/base/random.h"
#include "uir/search/canonical.h"

namespace uir::brute {

inline std::vector<float> random_values(int64_t n, uint64_t seed) {
  ItemRandom random(seed, RandomPurpose::kTest, 0, 0);
  std::vector<float> values(static_cast<size_t>(n));
  for (float& value : values) value = static_cast<float>(random.normal());
  return values;
}

// Noisy copies of one direction per identity.
inline CanonicalVectors faces(const std::vector<int64_t>& labels, int64_t dim, double noise, uint64_t seed) {
  std::vector<float> values;
  for (size_t i = 0; i < labels.size(); ++i) {
    ItemRandom identity(seed, RandomPurpose::kTest, 1, static_cast<uint64_t>(labels[i]));
    ItemRandom image(seed, RandomPurpose::kTest, 2, i);
    for (int64_t d = 0; d < dim; ++d)
      values.push_back(static_cast<float>(identity.normal() + noise * image.normal()));
  }
  return canonical_vectors({values.data(), static_cast<int64_t>(labels.size()), dim});
}

inline double dot(const CanonicalVectors& v, int64_t a, int64_t b) {
  double sum = 0;
  for (int64_t d = 0; d < v.cols; ++d) {
    sum += static_cast<double>(v.values[a * v.cols + d]) * static_cast<double>(v.values[b * v.cols + d]);
  }
  return sum;
}

struct Scores {
  std::vector<double> genuine, impostor;
};

inline double auc(const Scores& s) {
  double wins = 0;
  for (double g : s.genuine) {
    for (double i : s.impostor) wins += g > i ? 1 : g == i ? 0.5 : 0;
  }
  return wins / (static_cast<double>(s.genuine.size()) * static_cast<double>(s.impostor.size()));
}

inline double share_at_least(const std::vector<double>& values, double t) {
  const auto n = std::count_if(values.begin(), values.end(), [&](double v) { return v >= t; });
  return static_cast<double>(n) / static_cast<double>(values.size());
}

inline std::vector<double> distinct_descending(const Scores& s) {
  std::vector<double> all = s.genuine;
  all.insert(all.end(), s.impostor.begin(), s.impostor.end());
  std::sort(all.begin(), all.end(), std::greater<>());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

// The largest TAR over all thresholds whose FAR is at most the target.
inline double tar_at_most(const Scores& s, double far) {
  double best = 0;
  for (double t : distinct_descending(s)) {
    if (share_at_least(s.impostor, t) <= far) best = std::max(best, share_at_least(s.genuine, t));
  }
  return best;
}

// Where the polygon through all ROC points meets FAR = 1 − TAR, by bisection along every edge.
inline double eer(const Scores& s) {
  std::vector<std::pair<double, double>> points{{0, 0}};
  for (double t : distinct_descending(s))
    points.emplace_back(share_at_least(s.impostor, t), share_at_least(s.genuine, t));
  for (size_t i = 1; i < points.size(); ++i) {
    const auto [far0, tar0] = points[i - 1];
    const auto [far1, tar1] = points[i];
    if (far1 + tar1 < 1) continue;
    double low = 0, high = 1;
    for (int step = 0; step < 100; ++step) {
      const double x = (low + high) / 2;
      (far0 + x * (far1 - far0) + tar0 + x * (tar1 - tar0) < 1 ? low : high) = x;
    }
    return far0 + high * (far1 - far0);
  }
  return std::numeric_limits<double>::quiet_NaN();
}

// The smallest value that at least a share q of all values do not exceed.
inline double quantile(const std::vector<double>& values, double q) {
  double best = std::numeric_limits<double>::infinity();
  for (double v : values) {
    const auto n = std::count_if(values.begin(), values.end(), [&](double w) { return w <= v; });
    if (static_cast<double>(n) / static_cast<double>(values.size()) >= q) best = std::min(best, v);
  }
  return best;
}

// The message of the Error of that kind which f throws; "no error" or "wrong kind: …" otherwise.
template <class F>
std::string error_of(ErrorKind kind, F&& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.kind() == kind ? e.what() : std::string("wrong kind: ") + e.what();
  }
  return "no error";
}

}  // namespace uir::brute
