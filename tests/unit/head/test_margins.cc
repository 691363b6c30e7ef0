#include "uir/head/margins.h"

#include <ATen/ATen.h>

#include <cmath>
#include <limits>

#include "naive.h"
// after the torch headers
#include "support/catch.h"

using uir::CombinedMarginConfig;
using uir::MarginGradient;

namespace {

at::Tensor row(double value) { return at::tensor({value}, at::kDouble); }

// The functions of many rows, for one.
struct MarginedCosine {
  MarginedCosine(const uir::MarginedCosines& rows)
      : value(rows.values.item<double>()), derivative(rows.derivatives.item<double>()) {}
  double value, derivative;
};
MarginedCosine apply_margin(const CombinedMarginConfig& margin, double factor, double cosine) {
  return uir::apply_margin(margin, factor, row(cosine));
}
MarginedCosine apply_margin(const uir::AdaFaceConfig& margin, double factor, const at::Tensor& statistics,
                            double norm, double cosine) {
  return uir::apply_margin(margin, factor, statistics, row(norm), row(cosine));
}

at::Tensor statistics_of(double mean, double deviation) { return at::tensor({mean, deviation}, at::kDouble); }
// The statistics after a batch with these norms.
struct NormStatistics {
  NormStatistics(const at::Tensor& before, double momentum, const std::vector<double>& norms) {
    const at::Tensor statistics = before.clone();
    uir::update_statistics(statistics, momentum, at::tensor(norms, at::kDouble));
    mean = statistics[0].item<double>(), deviation = statistics[1].item<double>();
  }
  double mean, deviation;
};

// Cosines over the whole range, both sides of every threshold.
at::Tensor cosine_grid() { return at::linspace(-0.9995, 0.9995, 2001, at::kDouble); }

// Value and autograd's derivative of the naive margin.
template <class F>
void check_against_autograd(const F& margin, const std::function<MarginedCosine(double)>& ours) {
  const at::Tensor cosines = cosine_grid().set_requires_grad(true);
  const at::Tensor values = margin(cosines);
  values.sum().backward();
  for (int64_t i = 0; i < cosines.size(0); ++i) {
    const MarginedCosine result = ours(cosines[i].item<double>());
    CAPTURE(cosines[i].item<double>());
    REQUIRE(result.value == Approx(values[i].item<double>()).margin(1e-12));
    REQUIRE(result.derivative == Approx(cosines.grad()[i].item<double>()).epsilon(1e-9).margin(1e-12));
  }
}

}  // namespace

TEST_CASE("combined margins equal autograd through the naive formula") {
  const MarginGradient gradient = GENERATE(MarginGradient::kExact, MarginGradient::kStraightThrough);
  const auto [m1, m2, m3] =
      GENERATE(std::array{1.0, 0.5, 0.0}, std::array{1.0, 0.0, 0.4}, std::array{1.0, 0.0, 0.0},
               std::array{1.35, 0.0, 0.0}, std::array{0.9 + 0.1, 0.3, 0.2}, std::array{2.0, 0.4, 0.1},
               std::array{1.0, 1.5, 0.0});
  CAPTURE(m1, m2, m3, static_cast<int>(gradient));
  const CombinedMarginConfig config{m1, m2, m3, gradient};
  check_against_autograd([&](const at::Tensor& c) { return naive::combined_margin(config, c); },
                         [&](double c) { return apply_margin(config, 1, c); });
}

TEST_CASE("ArcFace: known values on both sides of its fallback") {
  const CombinedMarginConfig arcface;
  CHECK(apply_margin(arcface, 1, std::cos(1.0)).value == Approx(std::cos(1.5)));
  CHECK(apply_margin(arcface, 1, 0).derivative == Approx(std::sin(naive::kPi / 2 + 0.5)));
  const double beyond = std::cos(naive::kPi - 0.4);
  CHECK(apply_margin(arcface, 1, beyond).value == Approx(beyond - 0.5 * std::sin(0.5)));
  CHECK(apply_margin(arcface, 1, beyond).derivative == 1);
}

TEST_CASE("a larger angle never gets a larger cosine in exact mode") {
  const double m1 = GENERATE(1.0, 1.5, 2.0, 4.0);
  const CombinedMarginConfig config{m1, 0.5, 0.1, MarginGradient::kExact};
  double last = std::numeric_limits<double>::infinity();
  for (int i = 0; i <= 1000; ++i) {
    const double value = apply_margin(config, 1, std::cos(naive::kPi * i / 1000)).value;
    REQUIRE(value <= last + 1e-12);
    last = value;
  }
}

TEST_CASE("the warm-up factor scales each margin") {
  const CombinedMarginConfig config{1.4, 0.5, 0.2, MarginGradient::kExact};
  CHECK(apply_margin(config, 0, 0.3).value == 0.3);
  CHECK(apply_margin(config, 0, 0.3).derivative == 1);
  const CombinedMarginConfig half{1.2, 0.25, 0.1, MarginGradient::kExact};
  CHECK(apply_margin(config, 0.5, 0.3).value == Approx(apply_margin(half, 1, 0.3).value));
  CHECK(apply_margin(config, 0.5, 0.3).derivative == Approx(apply_margin(half, 1, 0.3).derivative));
}

TEST_CASE("cosines rounded beyond 1 stay finite") {
  for (double cosine : {1 + 1e-7, 1.0, -1.0, -1 - 1e-7}) {
    for (const CombinedMarginConfig& config : {CombinedMarginConfig{}, CombinedMarginConfig{1, 0, 0.4}}) {
      const MarginedCosine result = apply_margin(config, 1, cosine);
      CHECK(std::isfinite(result.value));
      CHECK(std::isfinite(result.derivative));
      CHECK(std::abs(result.value) <= 1.5);
    }
  }
  CHECK(std::isnan(apply_margin(CombinedMarginConfig{}, 1, std::nan("")).value));
}

TEST_CASE("AdaFace's margin equals autograd through its authors' formula") {
  const uir::AdaFaceConfig config{0.4, 0.333, 1};  // momentum 1: the statistics are the batch's
  const at::Tensor norms = at::tensor({0.0001, 5.0, 20.0, 22.0, 30.0, 180.0}, at::kDouble);
  std::vector<double> values(norms.data_ptr<double>(), norms.data_ptr<double>() + norms.size(0));
  const at::Tensor statistics = uir::initial_norm_statistics();
  uir::update_statistics(statistics, config.momentum, norms);
  for (int64_t row = 0; row < norms.size(0); ++row) {
    CAPTURE(values[row]);
    check_against_autograd(
        [&](const at::Tensor& c) {
          // one column for each norm; only this row's is used
          const at::Tensor all = c.unsqueeze(1).expand({c.size(0), norms.size(0)});
          return naive::adaface_margin(config, all, norms).select(1, row);
        },
        [&](double c) { return apply_margin(config, 1, statistics, values[row], c); });
  }
}

TEST_CASE("AdaFace's margin follows the norm: CosFace for poor images, negative angle for good ones") {
  const uir::AdaFaceConfig config;
  const at::Tensor statistics = statistics_of(20, 1);
  const double angle = 1.0;
  CHECK(apply_margin(config, 1, statistics, 0.1, std::cos(angle)).value == Approx(std::cos(angle + 0.4)));
  CHECK(apply_margin(config, 1, statistics, 20, std::cos(angle)).value == Approx(std::cos(angle) - 0.4));
  CHECK(apply_margin(config, 1, statistics, 90, std::cos(angle)).value ==
        Approx(std::cos(angle - 0.4) - 0.8));
  CHECK(apply_margin(config, 0, statistics, 90, std::cos(angle)).value == Approx(std::cos(angle)));
}

TEST_CASE("AdaFace's running statistics") {
  const NormStatistics next(statistics_of(20, 100), 0.01, {10, 14});
  CHECK(next.mean == Approx(0.99 * 20 + 0.01 * 12));
  CHECK(next.deviation == Approx(0.99 * 100 + 0.01 * std::sqrt(8.0)));
  const NormStatistics clipped(statistics_of(20, 100), 1, {1e9, 0});
  CHECK(clipped.mean == Approx((100 + 0.001) / 2));

  const NormStatistics one_row(statistics_of(20, 100), 0.5, {10});
  CHECK(one_row.mean == Approx(15));
  CHECK(one_row.deviation == 100);
  const NormStatistics none(statistics_of(20, 100), 0.5, {});
  CHECK(none.mean == 20);
  CHECK(none.deviation == 100);
  const NormStatistics broken(statistics_of(20, 100), 0.5, {10, std::nan("")});
  CHECK(broken.mean == 20);
  CHECK(broken.deviation == 100);
}
