// The losses of one row as functions of its sums over all classes, in float64; docs/losses.md derives them.
//
// z_j: logits, C classes, s the scale. The gradient by the logits of the row is
//   labeled   p_j − [j = y]                 p_j = exp(z_j − shift)
//   mean      (C p_j − 1)/C                 C p_j − 1 = expm1(z_j − shift): no cancellation when p is nearly
//                                           uniform
//   sum       C p_j − 1
//   released  p_j (expm1(q_j) − offset) / (1 + excess/C)      q_j = p_j − 1/C = expm1(z_j − shift)/C
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace uir {

struct LabeledRow {
  double loss;        // −log p_y
  double shift;       // log Σ exp z
  double off_target;  // 1 − p_y
};

// others = Σ_{j≠y} exp z_j, finite; target_logit, any finite number, includes the margin. Exact also where
// the loss is tiny, and finite where the target's exponential, or its ratio to the others, leaves float64.
inline LabeledRow labeled_row(double others, double target_logit) {
  const double target = std::exp(target_logit);
  const double total = others + target, ratio = others / target;
  if (std::isnormal(target) && std::isfinite(total) && std::isfinite(ratio)) {
    return {std::log1p(ratio), std::log(total), others / total};
  }
  const double ahead = std::log(others) - target_logit;
  const double smaller = std::exp(-std::abs(ahead));  // of the two sides, relative to the larger
  const double loss = std::max(ahead, 0.0) + std::log1p(smaller);
  return {loss, target_logit + loss, (ahead > 0 ? 1 : smaller) / (1 + smaller)};
}

struct UnlabeledRow {
  double loss;   // KL(uniform || p) = lse(z) − mean(z) − ln C
  double shift;  // lse(z) − ln C
};

inline UnlabeledRow unlabeled_row(double sum_exp, double mean_logit, int64_t num_classes) {
  const double shift = std::log(sum_exp / static_cast<double>(num_classes));
  return {shift - mean_logit, shift};
}

struct ReleasedRow {
  double loss;         // C log1p(Σ expm1(p)/C) − 1
  double offset;       // Σ p expm1(q)
  double denominator;  // mean of e^q
};

// excess = Σ (e^q − 1 − q), curvature = Σ q (e^q − 1): sums of positive terms. Σ q = 0 turns the released
// form C log1p(Σ expm1(p)/C) − 1 into C log1p(excess/C), which cancels nowhere.
inline ReleasedRow released_row(double excess, double curvature, int64_t num_classes) {
  const auto classes = static_cast<double>(num_classes);
  const double mean_excess = excess / classes;
  return {classes * std::log1p(mean_excess), mean_excess + curvature, 1 + mean_excess};
}

}  // namespace uir
