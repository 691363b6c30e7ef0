#include "uir/head/losses.h"

#include <ATen/ops/scalar_tensor.h>

#include <cmath>
#include <vector>

#include "support/catch.h"

namespace {

at::Tensor row(double value) { return at::scalar_tensor(value, at::kDouble).unsqueeze(0); }
double of(const at::Tensor& row) { return row.item<double>(); }

// The functions of many rows, for one.
struct Labeled {
  Labeled(double others, double target_logit) {
    const uir::LabeledRows rows = uir::labeled_rows(row(others), row(target_logit));
    loss = of(rows.loss), shift = of(rows.shift), off_target = of(rows.off_target);
  }
  double loss, shift, off_target;
};
struct Unlabeled {
  Unlabeled(double sum_exp, double mean_logit, int64_t classes) {
    const uir::UnlabeledRows rows = uir::unlabeled_rows(row(sum_exp), row(mean_logit), classes);
    loss = of(rows.loss), shift = of(rows.shift);
  }
  double loss, shift;
};
struct Released {
  Released(double excess, double curvature, int64_t classes) {
    const uir::ReleasedRows rows = uir::released_rows(row(excess), row(curvature), classes);
    loss = of(rows.loss), offset = of(rows.offset), denominator = of(rows.denominator);
  }
  double loss, offset, denominator;
};

// Softmax of some logits in long double.
std::vector<long double> softmax(const std::vector<double>& logits) {
  long double total = 0;
  for (double z : logits) total += std::exp(static_cast<long double>(z));
  std::vector<long double> p;
  for (double z : logits) p.push_back(std::exp(static_cast<long double>(z)) / total);
  return p;
}

struct Sums {
  double sum_exp = 0, mean = 0, excess = 0, curvature = 0;
};

Sums sums_of(const std::vector<double>& logits) {
  const auto classes = static_cast<double>(logits.size());
  Sums sums;
  for (double z : logits) sums.sum_exp += std::exp(z), sums.mean += z / classes;
  for (long double p : softmax(logits)) {
    const long double q = p - 1 / static_cast<long double>(classes);
    sums.excess += static_cast<double>(std::expm1(q) - q);
    sums.curvature += static_cast<double>(q * std::expm1(q));
  }
  return sums;
}

const std::vector<std::vector<double>> kLogits = {
    {0.5}, {1, 1, 1}, {3, -1, 0.2, 0.1}, {60, -20, 3, 1, 0}, {-5, -5.001, -4.999}, {1e-4, 0, -1e-4, 2e-4}};

}  // namespace

TEST_CASE("released: the closed form without cancellation equals softmax applied twice") {
  for (const auto& logits : kLogits) {
    const auto classes = static_cast<int64_t>(logits.size());
    const Sums sums = sums_of(logits);
    const Released row(sums.excess, sums.curvature, classes);

    const auto p = softmax(logits);
    const auto twice = softmax(std::vector<double>(p.begin(), p.end()));
    long double loss = 0, offset = 0, mean_exp = 0;
    for (size_t i = 0; i < p.size(); ++i) {
      loss -= std::log(twice[i]) + std::log(static_cast<long double>(classes));
      offset += p[i] * std::expm1(p[i] - 1.0L / classes);
      mean_exp += std::exp(p[i] - 1.0L / classes) / classes;
    }
    CHECK(row.loss == Approx(static_cast<double>(loss)).epsilon(1e-9).margin(1e-15));
    CHECK(row.offset == Approx(static_cast<double>(offset)).epsilon(1e-9).margin(1e-15));
    CHECK(row.denominator == Approx(static_cast<double>(mean_exp)));
    CHECK(row.loss >= 0);
    CHECK(row.loss <= std::exp(1.0) - 2);
  }
}

TEST_CASE("released: half the squared distance of p from uniform when no p is large") {
  std::vector<double> logits(1000);
  for (size_t i = 0; i < logits.size(); ++i) logits[i] = std::sin(static_cast<double>(i));
  const Sums sums = sums_of(logits);
  double squares = 0;
  for (long double p : softmax(logits)) squares += static_cast<double>((p - 1e-3L) * (p - 1e-3L)) / 2;
  CHECK(Released(sums.excess, sums.curvature, 1000).loss == Approx(squares).epsilon(2e-3));
}

TEST_CASE("released: bounded by e - 2, reached when one of many probabilities is 1") {
  const double classes = 1e6, q = 1 - 1 / classes;
  const double excess = std::expm1(q) - q + (classes - 1) * (std::expm1(-1 / classes) + 1 / classes);
  CHECK(Released(excess, q * std::expm1(q), 1000000).loss == Approx(std::exp(1.0) - 2).epsilon(1e-5));
}

TEST_CASE("mean: the divergence of the uniform distribution from p") {
  for (const auto& logits : kLogits) {
    const auto classes = static_cast<double>(logits.size());
    const Sums sums = sums_of(logits);
    const Unlabeled row(sums.sum_exp, sums.mean, static_cast<int64_t>(logits.size()));
    long double divergence = 0;
    for (long double p : softmax(logits)) divergence -= std::log(classes * p) / classes;
    CHECK(row.loss == Approx(static_cast<double>(divergence)).margin(1e-14));
    CHECK(std::exp(logits[0] - row.shift) == Approx(classes * static_cast<double>(softmax(logits)[0])));
  }
}

TEST_CASE("labeled: cross entropy, exact also where it is tiny") {
  const Labeled row(std::exp(1.0) + std::exp(2.0), 1.5);
  const double p = std::exp(1.5) / (std::exp(1.0) + std::exp(1.5) + std::exp(2.0));
  CHECK(row.loss == Approx(-std::log(p)));
  CHECK(row.off_target == Approx(1 - p));
  CHECK(std::exp(1.5 - row.shift) == Approx(p));
  CHECK(Labeled(std::exp(-30.0), 30).loss == Approx(std::exp(-60.0)));
  CHECK(Labeled(std::exp(-30.0), 30).off_target == Approx(std::exp(-60.0)));
  CHECK(Labeled(0, 5).loss == 0);  // a single class
}

TEST_CASE("labeled: finite for any logits") {
  for (const double others : {0.0, 1e-304, 0.01, 1e130, 1e304}) {
    for (const double target : {-5000.0, -900.0, -720.0, -700.0, -100.0, 0.0, 600.0, 709.0, 800.0, 5000.0}) {
      CAPTURE(others, target);
      const Labeled row(others, target);
      const long double sum = others, of_target = std::exp(static_cast<long double>(target));  // e^11356 fits
      CHECK(row.loss == Approx(static_cast<double>(std::log1p(sum / of_target))).epsilon(1e-12));
      CHECK(row.shift == Approx(static_cast<double>(std::log(sum + of_target))).epsilon(1e-12));
      CHECK(row.off_target == Approx(static_cast<double>(sum / (sum + of_target))).epsilon(1e-12));
    }
  }
}
