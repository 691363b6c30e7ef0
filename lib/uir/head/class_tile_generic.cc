// Tiles on devices without own kernels: LibTorch's operators, in the tile's type; float64 only where the
// rows' few sums and factors meet. A pass over [R, T] is a kernel's launch and its memory's time, so there
// are as few as the operators allow: the target is one element of a row and is taken out and put back by
// index, never by a mask over the tile.
#include <ATen/TensorOperators.h>
#include <ATen/ops/add.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

#include <limits>

#include "uir/head/class_tile.h"

namespace uir::generic {
namespace {

// Where the rows' targets lie in a tile. A row whose target is elsewhere has place 0 and is not `inside`.
struct Targets {
  Targets(const ClassTile& tile, const at::Tensor& targets_R) {
    if (!targets_R.defined()) return;
    const at::Tensor places_R = targets_R - tile.first_class;
    const int64_t classes = tile.products_RT.size(1);
    inside_R1 = places_R.ge(0).logical_and_(places_R.lt(classes)).unsqueeze(1);
    places_R1 = places_R.clamp(0, classes - 1).unsqueeze(1);
  }
  bool defined() const { return places_R1.defined(); }
  at::Tensor values(const at::Tensor& tile_RT) const { return tile_RT.gather(1, places_R1); }
  // The targets' elements become these; all others stay.
  void set(const at::Tensor& tile_RT, const at::Tensor& values_R1) const {
    at::Tensor(tile_RT).scatter_(1, places_R1, at::where(inside_R1, values_R1, values(tile_RT)));
  }

  at::Tensor places_R1, inside_R1;
};

at::Tensor column_R1(const at::Tensor& rows, int64_t column) { return rows.select(1, column).unsqueeze(1); }

// A float64 shift as the tile's type has it, and what that leaves of it.
struct Shift {
  Shift(const at::Tensor& shift_R1, at::ScalarType type)
      : high_R1(shift_R1.to(type)), low_R1(shift_R1 - high_R1) {}
  // scale · cosine − high, [R, T]: one pass.
  at::Tensor exponent(const at::Tensor& cosines_RT, double scale) const {
    return at::add(high_R1.neg(), cosines_RT, scale);
  }
  at::Tensor high_R1, low_R1;
};

// e^(x − low) − 1 = e^−low (e^x − 1) + (e^−low − 1), in place of x.
at::Tensor exact_expm1(const at::Tensor& exponent_RT, const Shift& shift) {
  const at::Tensor low = shift.low_R1.neg();
  return at::Tensor(exponent_RT)
      .expm1_()
      .mul_(low.exp().to(exponent_RT.scalar_type()))
      .add_(low.expm1().to(exponent_RT.scalar_type()));
}

// e^q − 1 − q for −1 < q ≤ 1: the difference where q is large, its series where that would cancel.
at::Tensor exp_excess(const at::Tensor& q) {
  constexpr double kSmall = 0.25;
  const int terms = q.scalar_type() == at::kDouble ? 16 : 8;
  at::Tensor series = at::ones_like(q);
  for (int k = terms; k >= 3; --k) series.mul_(q).div_(k).add_(1);
  series.mul_(q).mul_(q).mul_(0.5);
  return at::where(q.lt(kSmall), series, q.expm1().sub_(q));
}

at::Tensor gradient_RT(GradientForm form, const at::Tensor& cosines_RT, double scale,
                       const at::Tensor& rows_R4, int64_t num_classes) {
  const at::ScalarType type = cosines_RT.scalar_type();
  const Shift shift(column_R1(rows_R4, kShift), type);
  const at::Tensor factor = column_R1(rows_R4, kFactor);
  at::Tensor exponent = shift.exponent(cosines_RT, scale);
  if (form == GradientForm::kSoftmax)
    return exponent.exp_().mul_((factor * shift.low_R1.neg().exp()).to(type));
  at::Tensor gradient = exact_expm1(exponent, shift);
  if (form == GradientForm::kCentered) return gradient.mul_(factor.to(type));
  const auto classes = static_cast<double>(num_classes);
  const at::Tensor q = gradient.div_(classes);
  const at::Tensor released = q.expm1().sub_(column_R1(rows_R4, kOffset).to(type));
  return q.add_(1 / classes).mul_(released).mul_(factor.to(type));
}

}  // namespace

void add_row_sums(ClassTile& tile, const at::Tensor& targets_R, const at::Tensor& sums_R4) {
  const at::Tensor cosines = tile.products_RT.mul_(tile.inverse_norms_T);
  const Targets targets(tile, targets_R);
  at::Tensor target_cosines;
  if (targets.defined()) {
    target_cosines = targets.values(cosines);
    column_R1(sums_R4, kTargetCosine).add_(target_cosines * targets.inside_R1);
    targets.set(cosines, at::zeros_like(target_cosines));
  }
  sums_R4.select(1, kSumCosine).add_(cosines.sum(1));
  if (targets.defined()) {
    targets.set(cosines, at::full_like(target_cosines, -std::numeric_limits<double>::infinity()));
  }
  const at::Tensor largest = cosines.amax(1).to(at::kDouble);  // −∞ where the target is the tile's only class
  const Shift shift((largest * tile.scale).unsqueeze(1).clamp_min(-2 * tile.scale), cosines.scalar_type());
  const at::Tensor sums_R = shift.exponent(cosines, tile.scale).exp_().sum(1).to(at::kDouble);
  sums_R4.select(1, kSumExp).add_(sums_R * shift.high_R1.squeeze(1).to(at::kDouble).exp());
  sums_R4.select(1, kLargestOther).copy_(at::maximum(sums_R4.select(1, kLargestOther), largest));
  if (targets.defined()) targets.set(cosines, target_cosines);
}

void add_released_sums(ClassTile& tile, const at::Tensor& shifts_R, int64_t num_classes,
                       const at::Tensor& sums_R2) {
  const at::Tensor cosines = tile.products_RT.mul_(tile.inverse_norms_T);
  const Shift shift(shifts_R.unsqueeze(1), cosines.scalar_type());
  const at::Tensor q =
      exact_expm1(shift.exponent(cosines, tile.scale), shift).div_(static_cast<double>(num_classes));
  const at::Tensor excess = exp_excess(q);
  sums_R2.select(1, kExcess).add_(excess.sum(1));
  sums_R2.select(1, kCurvature).add_(excess.add_(q).mul_(q).sum(1));
}

void replace_by_gradient(ClassTile& tile, GradientForm form, const at::Tensor& targets_R,
                         const at::Tensor& rows_R4, int64_t num_classes, const at::Tensor& cosine_dots_T) {
  const at::Tensor cosines = tile.products_RT.mul_(tile.inverse_norms_T);
  const at::Tensor gradient = gradient_RT(form, cosines, tile.scale, rows_R4, num_classes);
  if (const Targets targets(tile, targets_R); targets.defined())
    targets.set(gradient, column_R1(rows_R4, kTargetGradient).to(gradient.scalar_type()));
  cosine_dots_T.add_((cosines.mul_(gradient)).sum(0));
  at::mul_out(tile.products_RT, gradient, tile.inverse_norms_T);
}

}  // namespace uir::generic
