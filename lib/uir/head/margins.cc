#include "uir/head/margins.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace uir {
namespace {

using std::numbers::pi;

// Keeps sin(θ + m) / sin θ finite for a face on its class center: below this the projection through the
// normalisation, which is proportional to sin θ, is rounding noise.
constexpr double kSmallestSine = 1e-4;

double sine(double cosine) { return std::max(std::sqrt(1 - cosine * cosine), kSmallestSine); }

// Beyond m1 θ + m2 = π the cosine would rise again. There ArcFace's released code continues with cos θ − m2
// sin m2; for m1 > 1, which it does not know, the offset makes the curve continuous.
double fallback_offset(double m1, double m2) {
  return m1 == 1 ? m2 * std::sin(m2) : 1 + std::cos((pi - m2) / m1);
}

MarginedCosine angular_margin(double m1, double m2, MarginGradient gradient, double cosine) {
  const double angle = m1 * std::acos(cosine) + m2;
  if (gradient == MarginGradient::kStraightThrough) return {std::cos(angle), 1};
  if (angle > pi) return {cosine - fallback_offset(m1, m2), 1};
  return {std::cos(angle), m1 * std::sin(angle) / sine(cosine)};
}

// AdaFace's released code keeps cosines and angles this far from their ends.
constexpr double kAdaFaceEpsilon = 1e-3;
constexpr double kSmallestNorm = 1e-3, kLargestNorm = 100;

double safe_norm(double norm) { return std::clamp(norm, kSmallestNorm, kLargestNorm); }

}  // namespace

MarginedCosine apply_margin(const CombinedMarginConfig& margin, double factor, double cosine) {
  const double m1 = 1 + factor * (margin.m1 - 1);
  const double m2 = factor * margin.m2;
  const double clamped = std::clamp(cosine, -1.0, 1.0);
  MarginedCosine result{clamped, 1};
  if (m1 != 1 || m2 != 0) result = angular_margin(m1, m2, margin.gradient, clamped);
  result.value -= factor * margin.m3;
  return result;
}

NormStatistics updated_statistics(const NormStatistics& statistics, double momentum,
                                  const std::vector<double>& norms) {
  const auto count = static_cast<double>(norms.size());
  double sum = 0, squares = 0;
  for (double norm : norms) sum += safe_norm(norm);
  const double mean = sum / count;
  for (double norm : norms) squares += (safe_norm(norm) - mean) * (safe_norm(norm) - mean);
  const double deviation = std::sqrt(squares / (count - 1));
  NormStatistics result = statistics;
  if (std::isfinite(mean)) result.mean += momentum * (mean - result.mean);
  if (norms.size() > 1 && std::isfinite(deviation))
    result.deviation += momentum * (deviation - result.deviation);
  return result;
}

MarginedCosine apply_margin(const AdaFaceConfig& margin, double factor, const NormStatistics& statistics,
                            double norm, double cosine) {
  const double m = factor * margin.margin;
  const double normalised = (safe_norm(norm) - statistics.mean) / (statistics.deviation + kAdaFaceEpsilon);
  const double quality = std::clamp(margin.h * normalised, -1.0, 1.0);
  const double clamped = std::clamp(cosine, -1 + kAdaFaceEpsilon, 1 - kAdaFaceEpsilon);
  const double angle = std::acos(clamped) - m * quality;
  const double clamped_angle = std::clamp(angle, kAdaFaceEpsilon, pi - kAdaFaceEpsilon);
  const bool inside = clamped == cosine && clamped_angle == angle;
  const double derivative = inside ? std::sin(angle) / std::sqrt(1 - clamped * clamped) : 0;
  return {std::cos(clamped_angle) - m * (1 + quality), derivative};
}

}  // namespace uir
