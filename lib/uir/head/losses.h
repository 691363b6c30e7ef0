// The losses of rows as functions of their sums over all classes; docs/losses.md derives them.
//
// z_j: logits, C classes, s the scale. The gradient by the logits of a row is
//   labeled   p_j − [j = y]                 p_j = exp(z_j − shift)
//   mean      (C p_j − 1)/C                 C p_j − 1 = expm1(z_j − shift): no cancellation when p is nearly
//                                           uniform
//   sum       C p_j − 1
//   released  p_j (expm1(q_j) − offset) / (1 + excess/C)      q_j = p_j − 1/C = expm1(z_j − shift)/C
// Shapes: all tensors float64 [R], on any device; no function waits for it.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace uir {

struct LabeledRows {
  at::Tensor loss;        // −log p_y
  at::Tensor shift;       // log Σ exp z
  at::Tensor off_target;  // 1 − p_y
};

// others = Σ_{j≠y} exp z_j, finite; target_logit, any finite number, includes the margin. Exact also where
// the loss is tiny, and finite where the target's exponential, or its ratio to the others, leaves float64.
LabeledRows labeled_rows(const at::Tensor& others, const at::Tensor& target_logit);

struct UnlabeledRows {
  at::Tensor loss;   // KL(uniform || p) = lse(z) − mean(z) − ln C
  at::Tensor shift;  // lse(z) − ln C
};

UnlabeledRows unlabeled_rows(const at::Tensor& sum_exp, const at::Tensor& mean_logit, int64_t num_classes);

struct ReleasedRows {
  at::Tensor loss;         // C log1p(Σ expm1(p)/C) − 1
  at::Tensor offset;       // Σ p expm1(q)
  at::Tensor denominator;  // mean of e^q
};

// excess = Σ (e^q − 1 − q), curvature = Σ q (e^q − 1): sums of positive terms. Σ q = 0 turns the released
// form C log1p(Σ expm1(p)/C) − 1 into C log1p(excess/C), which cancels nowhere.
ReleasedRows released_rows(const at::Tensor& excess, const at::Tensor& curvature, int64_t num_classes);

}  // namespace uir
