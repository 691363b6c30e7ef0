#include "support/brute_force.h"
#include "support/catch.h"
#include "uir/eval/separation.h"
#include "uir/report/report.h"
#include "uir/store/embedding_store.h"

namespace uir {

TEST_CASE("separation agrees with brute force over all pairs, for any number of threads") {
  const int64_t c = GENERATE(2, 3, 17, 150), dim = 6;
  std::vector<float> values = brute::random_values(c * dim, 8);
  for (size_t i = 0; i < values.size(); ++i)
    values[i] *= static_cast<float>(1 + i / dim);                          // lengths do not matter
  if (c > 10) std::copy_n(values.begin(), dim, values.begin() + 5 * dim);  // two equal centers
  std::vector<double> all, nearest(static_cast<size_t>(c), 9);
  const CanonicalVectors unit = canonical_vectors({values.data(), c, dim});
  for (int64_t i = 0; i < c; ++i) {
    for (int64_t j = 0; j < c; ++j) {
      const double d = 1 - brute::dot(unit, i, j);
      if (i < j) all.push_back(d);
      if (i != j) nearest[i] = std::min(nearest[i], d);
    }
  }
  double mean = 0, nearest_mean = 0;
  for (double d : all) mean += d / static_cast<double>(all.size());
  for (double d : nearest) nearest_mean += d / static_cast<double>(c);

  for (int threads : {1, 3}) {
    const SeparationResult result = measure_separation({values.data(), c, dim}, threads);
    CHECK(result.num_centers == c);
    CHECK(result.all_pairs.mean == Approx(mean).epsilon(1e-9));
    CHECK(result.all_pairs.q01 == Approx(brute::quantile(all, 0.01)).margin(0.51e-5).epsilon(0));
    CHECK(result.all_pairs.q05 == Approx(brute::quantile(all, 0.05)).margin(0.51e-5).epsilon(0));
    CHECK(result.all_pairs.q50 == Approx(brute::quantile(all, 0.50)).margin(0.51e-5).epsilon(0));
    CHECK(result.nearest.mean == Approx(nearest_mean).epsilon(1e-12));
    CHECK(result.nearest.q01 == brute::quantile(nearest, 0.01));
    CHECK(result.nearest.q05 == brute::quantile(nearest, 0.05));
    CHECK(result.nearest.q50 == brute::quantile(nearest, 0.50));
    CHECK(result.all_pairs.minimum == brute::quantile(nearest, 0));
  }
}

TEST_CASE("orthogonal, opposite and equal centers by hand") {
  const std::vector<float> orthogonal{2, 0, 0, 0, 3, 0, 0, 0, 1};
  const SeparationResult one = measure_separation({orthogonal.data(), 3, 3});
  CHECK(one.all_pairs.mean == Approx(1));
  CHECK(one.nearest.mean == 1);
  CHECK(one.all_pairs.q50 == Approx(1).margin(1e-5));
  const std::vector<float> opposite{1, 0, -1, 0};
  CHECK(measure_separation({opposite.data(), 2, 2}).all_pairs.mean == Approx(2));
  CHECK(measure_separation({opposite.data(), 2, 2}).nearest.minimum == 2);
  const std::vector<float> equal{1, 2, 2, 4};
  CHECK(measure_separation({equal.data(), 2, 2}).all_pairs.minimum == Approx(0).margin(1e-7));
}

TEST_CASE("centers without direction, and too few, are refused") {
  const std::vector<float> values{1, 0, 0, 0};
  CHECK_THAT(brute::error_of(ErrorKind::kData,
                             [&] {
                               measure_separation({values.data(), 2, 2});
                             }),
             contains_text("class center 1"));
  CHECK_THAT(brute::error_of(ErrorKind::kData,
                             [&] {
                               measure_separation({values.data(), 1, 2});
                             }),
             contains_text("two or more"));
}

TEST_CASE("the report names every number") {
  const std::vector<float> values = brute::random_values(40, 1);
  const ProtocolResult report = run_separation("centers", {values.data(), 10, 4});
  for (const char* name : {"all_pairs_mean", "all_pairs_q01", "all_pairs_q05", "all_pairs_q50",
                           "nearest_mean", "nearest_q01", "nearest_q05", "nearest_q50", "minimum"}) {
    CHECK(report.value_of(name) >= 0);
  }
  CHECK(report.counts[1].second == 45);
}

}  // namespace uir
