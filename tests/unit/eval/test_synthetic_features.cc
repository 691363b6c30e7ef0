#include "support/brute_force.h"
#include "support/catch.h"
#include "support/synthetic_features.h"

namespace uir {

TEST_CASE("synthetic features look like those of a face network") {
  const SyntheticFeatures set{.gallery = 300, .identities = 40, .distractors = 200, .dim = 128, .seed = 3};
  std::vector<float> values(static_cast<size_t>(set.rows() * set.dim)), again(static_cast<size_t>(set.dim));
  for (int64_t i = 0; i < set.rows(); ++i)
    set.write(i, std::span(values).subspan(static_cast<size_t>(i * set.dim), static_cast<size_t>(set.dim)));
  set.write(7, again);
  CHECK(std::equal(again.begin(), again.end(), values.begin() + 7 * set.dim));

  const CanonicalVectors v = canonical_vectors({values.data(), set.rows(), set.dim});
  double genuine = 0, impostor = 0, impostor_squares = 0;
  int64_t genuine_pairs = 0, impostor_pairs = 0;
  for (int64_t i = 0; i < set.rows(); ++i) {
    CHECK(set.label(i) == (i < 300 ? std::clamp<int64_t>(set.label(i), 0, 39) : -1));
    for (int64_t j = i + 1; j < set.rows(); ++j) {
      const double s = brute::dot(v, i, j);
      if (set.label(i) == set.label(j) && set.label(i) >= 0) {
        genuine += s;
        ++genuine_pairs;
      } else {
        impostor += s;
        impostor_squares += s * s;
        ++impostor_pairs;
      }
    }
  }
  REQUIRE(genuine_pairs > 500);
  CHECK(genuine / genuine_pairs == Approx(0.62).margin(0.08));
  CHECK(impostor / impostor_pairs == Approx(0).margin(0.01));
  CHECK(std::sqrt(impostor_squares / impostor_pairs) == Approx(1.27 / std::sqrt(128.0)).epsilon(0.1));
}

}  // namespace uir
