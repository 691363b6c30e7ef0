// Tiles on devices without own kernels: LibTorch's operators, everything in float64.
#include <ATen/TensorOperators.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/expm1.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/where.h>

#include <limits>

#include "uir/head/class_tile.h"

namespace uir::generic {
namespace {

at::Tensor cosines_RT(const ClassTile& tile) {
  return tile.products_RT.to(at::kDouble) * tile.inverse_norms_T.to(at::kDouble);
}

// Where a row's target lies in the tile, [R, T].
at::Tensor target_mask_RT(const ClassTile& tile, const at::Tensor& targets_R) {
  const at::Tensor classes_T =
      at::arange(tile.products_RT.size(1), tile.products_RT.options().dtype(at::kLong)) + tile.first_class;
  if (!targets_R.defined()) return at::Tensor();
  return classes_T == targets_R.unsqueeze(1);
}

// The Taylor series of e^q − 1 − q, which has no operator.
at::Tensor exp_excess(const at::Tensor& q) {
  at::Tensor series = at::ones_like(q);
  for (int k = 20; k >= 3; --k) series = series * q / k + 1;
  return q * q * 0.5 * series;
}

at::Tensor row_column(const at::Tensor& rows_R4, int64_t column) {
  return rows_R4.select(1, column).unsqueeze(1);
}

at::Tensor gradient_RT(GradientForm form, const at::Tensor& logits_RT, const at::Tensor& rows_R4,
                       int64_t num_classes) {
  const at::Tensor factor = row_column(rows_R4, kFactor);
  const at::Tensor exponent = logits_RT - row_column(rows_R4, kShift);
  if (form == GradientForm::kSoftmax) return factor * exponent.exp();
  if (form == GradientForm::kCentered) return factor * exponent.expm1();
  const at::Tensor q = exponent.expm1() / num_classes;
  return factor * (q + 1.0 / static_cast<double>(num_classes)) * (q.expm1() - row_column(rows_R4, kOffset));
}

}  // namespace

void add_row_sums(ClassTile& tile, const at::Tensor& targets_R, const at::Tensor& sums_R4) {
  const at::Tensor cosines = cosines_RT(tile);
  at::Tensor others = cosines, zeroed = cosines;
  if (targets_R.defined()) {
    const at::Tensor mask = target_mask_RT(tile, targets_R);
    others = cosines.masked_fill(mask, -std::numeric_limits<double>::infinity());
    zeroed = cosines.masked_fill(mask, 0);
    sums_R4.select(1, kTargetCosine) += (cosines - zeroed).sum(1);
  }
  sums_R4.select(1, kSumExp) += (others * tile.scale).exp().sum(1);
  sums_R4.select(1, kSumCosine) += zeroed.sum(1);
  at::Tensor largest = sums_R4.select(1, kLargestOther);
  largest.copy_(at::maximum(largest, others.amax(1)));
  tile.products_RT.copy_(cosines);
}

void add_released_sums(ClassTile& tile, const at::Tensor& shifts_R, int64_t num_classes,
                       const at::Tensor& sums_R2) {
  const at::Tensor q = (cosines_RT(tile) * tile.scale - shifts_R.unsqueeze(1)).expm1() / num_classes;
  sums_R2.select(1, kExcess) += exp_excess(q).sum(1);
  sums_R2.select(1, kCurvature) += (q * q.expm1()).sum(1);
}

void replace_by_gradient(ClassTile& tile, GradientForm form, const at::Tensor& targets_R,
                         const at::Tensor& rows_R4, int64_t num_classes, const at::Tensor& cosine_dots_T) {
  const at::Tensor cosines = cosines_RT(tile);
  at::Tensor gradient = gradient_RT(form, cosines * tile.scale, rows_R4, num_classes);
  if (targets_R.defined()) {
    gradient = at::where(target_mask_RT(tile, targets_R), row_column(rows_R4, kTargetGradient), gradient);
  }
  cosine_dots_T.add_((gradient * cosines).sum(0));
  tile.products_RT.copy_(gradient * tile.inverse_norms_T.to(at::kDouble));
}

}  // namespace uir::generic
