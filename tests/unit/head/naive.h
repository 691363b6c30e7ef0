// The head written down naively in float64 on whole logit matrices, differentiated by LibTorch's autograd:
// the oracle.
#pragma once

#include <ATen/ATen.h>

#include <cmath>
#include <utility>
#include <variant>
#include <vector>

#include "uir/head/config.h"

namespace naive {

inline constexpr double kPi = 3.14159265358979323846;

struct Problem {
  uir::HeadConfig head;
  uir::UirReduction reduction = uir::UirReduction::kReleased;
  double uir_weight = 0.1;
  at::Tensor embeddings, centers, labels;  // float64, float64, int64 [B_l]
  at::Tensor sampled = {};  // int64, ascending: the classes that labeled rows meet; undefined: all
  int64_t num_labeled() const { return labels.size(0); }
};

// Embeddings, centers and labels at random; every generator call is seeded, so the values are reproducible.
inline Problem random_problem(int64_t labeled, int64_t unlabeled, int64_t classes, int64_t size,
                              uint64_t seed = 7) {
  at::manual_seed(seed);
  Problem problem;
  problem.head.scale = 16;
  problem.embeddings = at::randn({labeled + unlabeled, size}, at::kDouble) * 3;
  problem.centers = at::randn({classes, size}, at::kDouble) * 0.1;
  problem.labels = at::randint(classes, {labeled}, at::kLong);
  return problem;
}

// Rank r has the r-th block of the labeled rows and the r-th block of the unlabeled ones.
inline Problem part_of(const Problem& p, int64_t rank, int64_t ranks) {
  const int64_t labeled = p.num_labeled() / ranks, unlabeled = p.embeddings.size(0) / ranks - labeled;
  Problem part = p;
  part.embeddings = at::cat({p.embeddings.narrow(0, rank * labeled, labeled),
                             p.embeddings.narrow(0, p.num_labeled() + rank * unlabeled, unlabeled)});
  part.labels = p.labels.narrow(0, rank * labeled, labeled);
  return part;
}

inline at::Tensor normalised(const at::Tensor& rows) { return rows / rows.norm(2, {1}, true); }

inline at::Tensor combined_margin(const uir::CombinedMarginConfig& m, const at::Tensor& cosine) {
  const at::Tensor angle = m.m1 * cosine.acos() + m.m2;
  if (m.gradient == uir::MarginGradient::kStraightThrough) {
    // arcface_torch overwrites the logits in place without autograd: the gradient passes as if nothing
    // happened.
    return cosine + (angle.cos() - m.m3 - cosine).detach();
  }
  // MXNet's condition for m1 = 1, written with cosines: cos θ > cos(π − m).
  const double offset = m.m1 == 1 ? std::sin(kPi - m.m2) * m.m2 : std::cos((kPi - m.m2) / m.m1) + 1;
  return at::where(cosine > std::cos((kPi - m.m2) / m.m1), angle.cos(), cosine - offset) - m.m3;
}

// AdaFace as its authors write it, with the batch's own statistics (momentum 1) when the running ones are
// given so.
inline at::Tensor adaface_margin(const uir::AdaFaceConfig& m, const at::Tensor& cosine,
                                 const at::Tensor& norms) {
  const double epsilon = 1e-3;
  const at::Tensor safe = norms.clip(0.001, 100).detach();
  const at::Tensor mean = safe.mean() * m.momentum + (1 - m.momentum) * 20;
  const at::Tensor deviation = safe.std() * m.momentum + (1 - m.momentum) * 100;
  const at::Tensor scaler = ((safe - mean) / (deviation + epsilon) * m.h).clip(-1, 1);
  const at::Tensor angle = cosine.clamp(-1 + epsilon, 1 - epsilon).acos();
  return (angle - m.margin * scaler).clip(epsilon, kPi - epsilon).cos() - (m.margin + m.margin * scaler);
}

inline at::Tensor labeled_loss(const Problem& p, const at::Tensor& cosines, const at::Tensor& norms) {
  const at::Tensor index = p.labels.unsqueeze(1);
  const at::Tensor target = cosines.gather(1, index);
  at::Tensor margined;
  if (const auto* combined = std::get_if<uir::CombinedMarginConfig>(&p.head.margin)) {
    margined = combined_margin(*combined, target);
  } else {
    margined = adaface_margin(std::get<uir::AdaFaceConfig>(p.head.margin), target, norms.unsqueeze(1));
  }
  return at::cross_entropy_loss(p.head.scale * cosines.scatter(1, index, margined), p.labels);
}

inline at::Tensor uir_loss(const Problem& p, const at::Tensor& cosines) {
  const at::Tensor logits = p.head.scale * cosines;
  const auto classes = static_cast<double>(cosines.size(1));
  if (p.reduction == uir::UirReduction::kReleased) {  // softmax twice, as released
    const at::Tensor rejected = -logits.softmax(1).log_softmax(1).sum(1) - classes * std::log(classes);
    return rejected.mean();
  }
  const at::Tensor kl = -logits.log_softmax(1).mean(1) - std::log(classes);
  return (p.reduction == uir::UirReduction::kSum ? classes * kl : kl).mean();
}

// The problem of the labeled rows on the sampled classes alone.
inline at::Tensor sampled_labeled_loss(const Problem& p, const at::Tensor& cosines, const at::Tensor& norms) {
  if (!p.sampled.defined()) return labeled_loss(p, cosines, norms);
  Problem part = p;
  part.labels = at::searchsorted(p.sampled, p.labels);
  return labeled_loss(part, cosines.index_select(1, p.sampled), norms);
}

struct Result {
  double labeled = 0, uir = 0;
  at::Tensor embeddings_gradient, centers_gradient;
};

inline Result solve(const Problem& p) {
  const at::Tensor x = p.embeddings.clone().set_requires_grad(true);
  const at::Tensor w = p.centers.clone().set_requires_grad(true);
  const at::Tensor cosines = normalised(x).mm(normalised(w).t());
  const int64_t labeled = p.num_labeled(), unlabeled = x.size(0) - labeled;
  Result result;
  at::Tensor total = (x * 0).sum() + (w * 0).sum();
  if (labeled > 0) {
    const at::Tensor loss =
        sampled_labeled_loss(p, cosines.narrow(0, 0, labeled), x.norm(2, {1}).narrow(0, 0, labeled));
    total = total + loss;
    result.labeled = loss.item<double>();
  }
  if (unlabeled > 0) {
    const at::Tensor loss = uir_loss(p, cosines.narrow(0, labeled, unlabeled));
    total = total + p.uir_weight * loss;
    result.uir = loss.item<double>();
  }
  total.backward();
  result.embeddings_gradient = x.grad();
  result.centers_gradient = w.grad();
  return result;
}

}  // namespace naive
