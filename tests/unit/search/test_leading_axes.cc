// The first look of searches by itself: its bound, and where it is taken. That no search loses a pair by it:
// test_pair_search.cc.
#include "uir/search/leading_axes.h"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "support/brute_force.h"
#include "support/catch.h"
#include "support/search_vectors.h"
#include "support/synthetic_features.h"
#include "uir/search/canonical.h"

namespace uir {

TEST_CASE("leading vectors: no score is above their product and the slack, and low rank leaves no rest") {
  for (const auto& vectors : {low_rank_vectors(300, 80, 3), tied_vectors(200, 70, 4),
                              from_values(brute::random_values(150 * 65, 5), 65)}) {
    const UnitRows rows(vectors);
    const ScoreMatrix matrix{rows, rows, PairsOf::kRowsAndColumns};
    for (const int64_t size : {6, 20, 60}) {
      const auto axes = LeadingAxes::forced(matrix, filter_kernels().front(), size);
      REQUIRE(axes);
      const std::vector<float> leading = axes->vectors(vectors.view(), size);
      double above = -1, rest = 0;
      for (int64_t i = 0; i < vectors.rows; ++i) {
        rest = std::max(rest, double{leading[i * size + size - 1]} * 2);
        for (int64_t j = 0; j < vectors.rows; ++j) {
          double product = 0;
          for (int64_t k = 0; k < size; ++k) product += double{leading[i * size + k]} * leading[j * size + k];
          above = std::max(above, score(vectors.row(i), vectors.row(j)) - product);
        }
      }
      CHECK(above <= axes->slack(size));
      CHECK(axes->slack(size) < 1e-4);
      if (vectors.cols == 80 && size >= 20) CHECK(rest < 0.1);
    }
  }
}

TEST_CASE("a first look is taken where it pays, and only there") {
  const auto looks = [](const FilterKernel& kernel, Spectrum spectrum, double threshold) -> int64_t {
    const SyntheticFeatures set{
        .gallery = 34000, .identities = 3000, .distractors = 0, .dim = 128, .seed = 2, .spectrum = spectrum};
    std::vector<float> values(static_cast<size_t>(set.rows() * set.dim));
    for (int64_t i = 0; i < set.rows(); ++i) set.write(i, std::span(values).subspan(i * set.dim, set.dim));
    const UnitRows rows(MatrixView{values.data(), set.rows(), set.dim});
    const auto axes = LeadingAxes::find({rows, rows, PairsOf::kOneSet}, kernel);
    return axes ? axes->best_size(std::array{threshold}, 1 << 20, 1 << 20) : 0;
  };
  for (const FilterKernel& kernel : filter_kernels()) {
    INFO(kernel.name);
    CHECK(looks(kernel, Spectrum::kFlat, 0.5) == 0);
    CHECK(looks(kernel, Spectrum::kFace, -1) == 0);
    CHECK((looks(kernel, Spectrum::kFace, 0.9) > 0) == kernel.int8());  // never in front of float32
    CHECK(looks(kernel, Spectrum::kFace, 0.9) <= looks(kernel, Spectrum::kFace, 0.75));
  }
}

TEST_CASE("no axes are made for few pairs, and for very short or long vectors") {
  const FilterKernel kernel{"int8 by name", 127, nullptr};  // nothing is filtered
  const auto made = [&](int64_t dim, int64_t rows) {
    const CanonicalVectors one = from_values(brute::random_values(dim, 1), dim);
    const UnitRows many = UnitRows(one).subset(std::vector<int64_t>(static_cast<size_t>(rows), 0));
    return LeadingAxes::find({many, many, PairsOf::kRowsAndColumns}, kernel) != nullptr;
  };
  CHECK_FALSE(made(128, 20000));
  CHECK_FALSE(made(48, 40000));
  CHECK_FALSE(made(4096, 400000));
}

}  // namespace uir
