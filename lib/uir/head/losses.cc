#include "uir/head/losses.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/log.h>
#include <ATen/ops/where.h>

#include <limits>

namespace uir {

LabeledRows labeled_rows(const at::Tensor& others, const at::Tensor& target_logit) {
  const at::Tensor target = target_logit.exp(), total = others + target, ratio = others / target;
  const at::Tensor inside = target.ge(std::numeric_limits<double>::min())
                                .logical_and_(total.isfinite())
                                .logical_and_(ratio.isfinite());
  const at::Tensor ahead = others.log() - target_logit;
  const at::Tensor smaller = ahead.abs().neg().exp();  // of the two sides, relative to the larger
  const at::Tensor far_loss = ahead.clamp_min(0) + smaller.log1p();
  const at::Tensor far_off_target = at::where(ahead.gt(0), at::ones_like(smaller), smaller) / (smaller + 1);
  return {at::where(inside, ratio.log1p(), far_loss), at::where(inside, total.log(), target_logit + far_loss),
          at::where(inside, others / total, far_off_target)};
}

UnlabeledRows unlabeled_rows(const at::Tensor& sum_exp, const at::Tensor& mean_logit, int64_t num_classes) {
  const at::Tensor shift = (sum_exp / static_cast<double>(num_classes)).log();
  return {shift - mean_logit, shift};
}

ReleasedRows released_rows(const at::Tensor& excess, const at::Tensor& curvature, int64_t num_classes) {
  const auto classes = static_cast<double>(num_classes);
  const at::Tensor mean_excess = excess / classes;
  return {mean_excess.log1p() * classes, mean_excess + curvature, mean_excess + 1};
}

}  // namespace uir
