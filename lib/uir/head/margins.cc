#include "uir/head/margins.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/acos.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

#include <cmath>
#include <numbers>

namespace uir {
namespace {

using std::numbers::pi;

// Keeps sin(θ + m) / sin θ finite for a face on its class center: below this the projection through the
// normalisation, which is proportional to sin θ, is rounding noise.
constexpr double kSmallestSine = 1e-4;

at::Tensor sine_of(const at::Tensor& cosines) {
  return (1 - cosines * cosines).sqrt_().clamp_min_(kSmallestSine);
}

// Beyond m1 θ + m2 = π the cosine would rise again. There ArcFace's released code continues with cos θ − m2
// sin m2; for m1 > 1, which it does not know, the offset makes the curve continuous.
double fallback_offset(double m1, double m2) {
  return m1 == 1 ? m2 * std::sin(m2) : 1 + std::cos((pi - m2) / m1);
}

MarginedCosines angular_margin(double m1, double m2, MarginGradient gradient, const at::Tensor& cosines) {
  const at::Tensor angles = cosines.acos() * m1 + m2, ones = at::ones_like(cosines);
  if (gradient == MarginGradient::kStraightThrough) return {angles.cos(), ones};
  const at::Tensor beyond = angles.gt(pi);
  return {at::where(beyond, cosines - fallback_offset(m1, m2), angles.cos()),
          at::where(beyond, ones, angles.sin() * m1 / sine_of(cosines))};
}

// AdaFace's released code keeps cosines and angles this far from their ends.
constexpr double kAdaFaceEpsilon = 1e-3;
constexpr double kSmallestNorm = 1e-3, kLargestNorm = 100;
constexpr double kInitialMean = 20, kInitialDeviation = 100;

at::Tensor safe(const at::Tensor& norms) { return norms.clamp(kSmallestNorm, kLargestNorm); }

// A running value, which stays where the batch's is not finite.
void move_towards(at::Tensor running, const at::Tensor& of_batch, double momentum) {
  running.add_(at::where(of_batch.isfinite(), (of_batch - running) * momentum, at::zeros_like(running)));
}

}  // namespace

MarginedCosines apply_margin(const CombinedMarginConfig& margin, double factor, const at::Tensor& cosines) {
  const double m1 = 1 + factor * (margin.m1 - 1);
  const double m2 = factor * margin.m2;
  const at::Tensor clamped = cosines.clamp(-1, 1);
  MarginedCosines result{clamped, at::ones_like(clamped)};
  if (m1 != 1 || m2 != 0) result = angular_margin(m1, m2, margin.gradient, clamped);
  result.values = result.values - factor * margin.m3;
  return result;
}

at::Tensor initial_norm_statistics() { return at::tensor({kInitialMean, kInitialDeviation}, at::kDouble); }

void update_statistics(const at::Tensor& statistics, double momentum, const at::Tensor& norms) {
  const auto count = static_cast<double>(norms.numel());
  if (count == 0) return;
  const at::Tensor values = safe(norms), mean = values.mean();
  move_towards(statistics[0], mean, momentum);
  if (count == 1) return;
  move_towards(statistics[1], ((values - mean).square().sum() / (count - 1)).sqrt(), momentum);
}

MarginedCosines apply_margin(const AdaFaceConfig& margin, double factor, const at::Tensor& statistics,
                             const at::Tensor& norms, const at::Tensor& cosines) {
  const double m = factor * margin.margin;
  const at::Tensor normalised = (safe(norms) - statistics[0]) / (statistics[1] + kAdaFaceEpsilon);
  const at::Tensor quality = (normalised * margin.h).clamp(-1, 1);
  const at::Tensor clamped = cosines.clamp(-1 + kAdaFaceEpsilon, 1 - kAdaFaceEpsilon);
  const at::Tensor angles = clamped.acos() - quality * m;
  const at::Tensor clamped_angles = angles.clamp(kAdaFaceEpsilon, pi - kAdaFaceEpsilon);
  const at::Tensor inside = clamped.eq(cosines).logical_and_(clamped_angles.eq(angles));
  const at::Tensor derivatives = angles.sin() / (1 - clamped * clamped).sqrt();
  return {clamped_angles.cos() - (quality + 1) * m,
          at::where(inside, derivatives, at::zeros_like(derivatives))};
}

}  // namespace uir
