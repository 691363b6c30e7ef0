// The tile's kernels against LibTorch's operators in float64, and the accuracy that the UIR loss needs.
#include "uir/head/class_tile.h"

#include <ATen/ATen.h>

#include <cmath>

#include "support/host_reads.h"
#include "uir/head/losses.h"
// after the torch headers
#include "support/catch.h"

namespace {

using uir::ClassTile;
using uir::GradientForm;

// A tile in the middle of the classes; some targets inside, some not.
struct Fixture {
  explicit Fixture(at::ScalarType type, int64_t classes, double spread, double scale) {
    at::manual_seed(3);
    inverse_norms = (at::rand({classes}, at::kDouble) + 0.5).to(type);
    products = ((at::randn({kRows, classes}, at::kDouble) * spread + 0.2) / inverse_norms).to(type);
    targets = at::tensor({100, 100 + static_cast<int>(classes) - 1, 99, 100 + static_cast<int>(classes), 103},
                         at::kLong);
    this->scale = scale;
  }
  ClassTile tile() const { return {products.clone(), inverse_norms, 100, scale}; }
  // The same values in float64, for the oracle.
  ClassTile exact_tile() const {
    return {products.clone().to(at::kDouble), inverse_norms.to(at::kDouble), 100, scale};
  }

  static constexpr int64_t kRows = 5;
  at::Tensor products, inverse_norms, targets;
  double scale = 64;
};

double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

double relative_difference(const at::Tensor& a, const at::Tensor& b) {
  return largest_difference(a, b) / b.to(at::kDouble).abs().max().item<double>();
}

double tolerance(at::ScalarType type) { return type == at::kFloat ? 4e-6 : 1e-13; }

}  // namespace

TEST_CASE("row sums equal the operators'") {
  const at::ScalarType type = GENERATE(at::kFloat, at::kDouble);
  const int64_t classes = GENERATE(4, 16, 37, 5000);
  const double spread = GENERATE(0.2, 1e-3);
  const double scale = GENERATE(1.0, 64.0, 128.0);
  const bool with_targets = GENERATE(false, true);
  CAPTURE(type, classes, spread, scale, with_targets);
  const Fixture fixture(type, classes, spread, scale);
  const at::Tensor targets = with_targets ? fixture.targets : at::Tensor();

  ClassTile tile = fixture.tile(), exact = fixture.exact_tile();
  at::Tensor sums = uir::empty_row_sums(1, Fixture::kRows, at::kCPU)[0], expected = sums.clone();
  add_row_sums(tile, targets, sums);
  uir::generic::add_row_sums(exact, targets, expected);
  // Logits are rounded to the type, which e^z turns into a relative error of scale · epsilon.
  const double error = tolerance(type) * std::max(1.0, scale / 8);
  const at::Tensor ratio = sums.select(1, uir::kSumExp) / expected.select(1, uir::kSumExp);
  CHECK(largest_difference(ratio, at::ones_like(ratio)) < error);
  CHECK(largest_difference(sums.select(1, uir::kSumCosine), expected.select(1, uir::kSumCosine)) <
        classes * tolerance(type));
  CHECK(largest_difference(sums.select(1, uir::kTargetCosine), expected.select(1, uir::kTargetCosine)) <
        tolerance(type));
  CHECK(largest_difference(sums.select(1, uir::kLargestOther), expected.select(1, uir::kLargestOther)) <
        tolerance(type));
  CHECK(largest_difference(tile.products_RT, exact.products_RT) < tolerance(type));
}

// What other devices run, against itself in float64.
TEST_CASE("the operators in float32") {
  const int64_t classes = GENERATE(4, 37, 5000);
  const double spread = GENERATE(0.2, 1e-3);
  const bool with_targets = GENERATE(false, true);
  CAPTURE(classes, spread, with_targets);
  const Fixture fixture(at::kFloat, classes, spread, 64);
  const at::Tensor targets = with_targets ? fixture.targets : at::Tensor();
  ClassTile tile = fixture.tile(), exact = fixture.exact_tile();
  at::Tensor sums = uir::empty_row_sums(1, Fixture::kRows, at::kCPU)[0], expected = sums.clone();
  {
    const uir::HostReads reads;
    uir::generic::add_row_sums(tile, targets, sums);
    CHECK(reads.count() == 0);
  }
  uir::generic::add_row_sums(exact, targets, expected);
  const double error = 8 * tolerance(at::kFloat);  // logits of size 64, rounded
  const at::Tensor ratio = sums.select(1, uir::kSumExp) / expected.select(1, uir::kSumExp);
  CHECK(largest_difference(ratio, at::ones_like(ratio)) < error);
  CHECK(largest_difference(sums.select(1, uir::kSumCosine), expected.select(1, uir::kSumCosine)) <
        classes * tolerance(at::kFloat));
  for (const auto column : {uir::kTargetCosine, uir::kLargestOther}) {
    CHECK(largest_difference(sums.select(1, column), expected.select(1, column)) < tolerance(at::kFloat));
  }
  CHECK(largest_difference(tile.products_RT, exact.products_RT) < tolerance(at::kFloat));

  const at::Tensor shifts = (expected.select(1, uir::kSumExp) / classes).log();
  at::Tensor released = at::zeros({Fixture::kRows, uir::kNumReleasedSums}, at::kDouble),
             exact_released = released.clone();
  if (!with_targets) {
    tile = fixture.tile();
    exact = fixture.exact_tile();
    {
      const uir::HostReads reads;
      uir::generic::add_released_sums(tile, shifts, classes, released);
      CHECK(reads.count() == 0);
    }
    uir::generic::add_released_sums(exact, shifts, classes, exact_released);
    for (const int64_t column : {0, 1}) {
      CHECK(relative_difference(released.select(1, column), exact_released.select(1, column)) < 4 * error);
    }
  }
  for (GradientForm form : {GradientForm::kSoftmax, GradientForm::kCentered, GradientForm::kReleased}) {
    if ((form == GradientForm::kSoftmax) != with_targets) continue;
    CAPTURE(static_cast<int>(form));
    const at::Tensor rows = at::full({Fixture::kRows, uir::kNumRowGradients}, NAN, at::kDouble);
    rows.select(1, uir::kFactor).fill_(0.25);
    rows.select(1, uir::kShift).copy_(with_targets ? shifts + std::log(classes) : shifts);
    if (with_targets) rows.select(1, uir::kTargetGradient).fill_(-0.3);
    if (form == GradientForm::kReleased) rows.select(1, uir::kOffset).copy_(exact_released.select(1, 1));
    tile = fixture.tile();
    exact = fixture.exact_tile();
    at::Tensor dots = at::ones_like(tile.inverse_norms_T), exact_dots = at::ones_like(exact.inverse_norms_T);
    {
      const uir::HostReads reads;
      uir::generic::replace_by_gradient(tile, form, targets, rows, classes, dots);
      CHECK(reads.count() == 0);
    }
    uir::generic::replace_by_gradient(exact, form, targets, rows, classes, exact_dots);
    CHECK(relative_difference(tile.products_RT, exact.products_RT) < 4 * error);
    CHECK(relative_difference(dots, exact_dots) < 4 * error);
  }
}

TEST_CASE("row sums add up over tiles and skip the target alone") {
  const Fixture fixture(at::kFloat, 37, 0.2, 64);
  at::Tensor whole = uir::empty_row_sums(1, Fixture::kRows, at::kCPU)[0], parts = whole.clone();
  ClassTile tile = fixture.tile();
  add_row_sums(tile, fixture.targets, whole);
  for (int64_t begin = 0; begin < 37; begin += 5) {
    const int64_t classes = std::min<int64_t>(5, 37 - begin);
    ClassTile part{fixture.products.narrow(1, begin, classes).contiguous(),
                   fixture.inverse_norms.narrow(0, begin, classes), 100 + begin, 64};
    add_row_sums(part, fixture.targets, parts);
  }
  CHECK(relative_difference(parts, whole) < 1e-6);
}

TEST_CASE("released sums and all gradients equal the operators'") {
  const at::ScalarType type = GENERATE(at::kFloat, at::kDouble);
  const int64_t classes = GENERATE(4, 37, 1200);
  const double spread = GENERATE(0.2, 1e-3);
  CAPTURE(type, classes, spread);
  const Fixture fixture(type, classes, spread, 64);
  ClassTile exact = fixture.exact_tile();
  at::Tensor sums = uir::empty_row_sums(1, Fixture::kRows, at::kCPU)[0];
  uir::generic::add_row_sums(exact, at::Tensor(), sums);
  const at::Tensor shifts = (sums.select(1, uir::kSumExp) / classes).log();
  const double error = 30 * tolerance(type);  // logits of size 64, rounded

  ClassTile tile = fixture.tile();
  exact = fixture.exact_tile();
  at::Tensor released = at::zeros({Fixture::kRows, uir::kNumReleasedSums}, at::kDouble),
             expected = released.clone();
  add_released_sums(tile, shifts, classes, released);
  uir::generic::add_released_sums(exact, shifts, classes, expected);
  CHECK(relative_difference(released.select(1, 0), expected.select(1, 0)) < error);
  CHECK(relative_difference(released.select(1, 1), expected.select(1, 1)) < error);

  for (GradientForm form : {GradientForm::kSoftmax, GradientForm::kCentered, GradientForm::kReleased}) {
    CAPTURE(static_cast<int>(form));
    const bool labeled = form == GradientForm::kSoftmax;
    const at::Tensor rows = at::full({Fixture::kRows, uir::kNumRowGradients}, NAN, at::kDouble);
    rows.select(1, uir::kFactor).fill_(0.25);
    rows.select(1, uir::kShift).copy_(labeled ? shifts + std::log(classes) : shifts);
    if (labeled) rows.select(1, uir::kTargetGradient).fill_(-0.3);
    if (form == GradientForm::kReleased) rows.select(1, uir::kOffset).copy_(expected.select(1, 1));
    const at::Tensor targets = labeled ? fixture.targets : at::Tensor();
    tile = fixture.tile();
    exact = fixture.exact_tile();
    at::Tensor dots = at::ones_like(tile.inverse_norms_T), exact_dots = at::ones_like(exact.inverse_norms_T);
    replace_by_gradient(tile, form, targets, rows, classes, dots);
    uir::generic::replace_by_gradient(exact, form, targets, rows, classes, exact_dots);
    CHECK(relative_difference(tile.products_RT, exact.products_RT) < error);
    CHECK(relative_difference(dots, exact_dots) < error);
  }
}

TEST_CASE("the UIR gradient keeps its digits when all probabilities are nearly equal") {
  // Logits of one tile whose spread is far below float32's resolution of e^z. They are exact in float32
  // (scale 1, norms 1), so what is measured is the kernels' own error: a few units in the last place of the
  // largest gradient. Computed as C p − 1 the error would be 3.7 % at a spread of 1e-6.
  const double spread = GENERATE(1e-6, 1e-5, 1e-3, 0.1);
  const double center = GENERATE(0.0, 3e-6, 0.5);
  const int64_t classes = 5000;
  CAPTURE(spread, center);
  at::manual_seed(5);
  const at::Tensor logits = (at::randn({3, classes}, at::kDouble) * spread + center).to(at::kFloat);
  const at::Tensor z = logits.to(at::kDouble);
  const at::Tensor d = z - z.mean(1, true);
  const at::Tensor expected = (d - d.expm1().mean(1, true).log1p()).expm1();  // C p − 1

  ClassTile tile{logits.clone(), at::ones({classes}), 0, 1};
  at::Tensor sums = uir::empty_row_sums(1, 3, at::kCPU)[0];
  add_row_sums(tile, at::Tensor(), sums);
  at::Tensor rows = at::zeros({3, uir::kNumRowGradients}, at::kDouble);
  for (int64_t r = 0; r < 3; ++r) {
    const uir::UnlabeledRows row =
        uir::unlabeled_rows(sums[r][uir::kSumExp], sums[r][uir::kSumCosine] / classes, classes);
    const double loss = (d[r].expm1().mean().log1p()).item<double>();
    // Rounding of each e^d − 1, a half unit of the spread, mostly averages out; the rest is float64's.
    CHECK(std::abs(row.loss.item<double>() - loss) <= 1e-7 * loss + 1e-8 * spread + 5e-14);
    rows[r][uir::kFactor] = 1;
    rows[r][uir::kShift] = row.shift;
  }
  tile.products_RT = logits.clone();
  at::Tensor dots = at::zeros({classes});
  replace_by_gradient(tile, GradientForm::kCentered, at::Tensor(), rows, classes, dots);
  CHECK(relative_difference(tile.products_RT, expected) < 2e-7);
}
