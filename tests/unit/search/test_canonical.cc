#include <bit>
#include <cmath>
#include <limits>

#include "support/brute_force.h"
#include "support/catch.h"
#include "support/temp_folder.h"
#include "uir/search/canonical.h"
#include "uir/search/exact_scores.h"

namespace uir {

TEST_CASE("a canonical vector is the float64 unit vector, rounded once") {
  const std::vector<float> f{3, 4, 0, 1e-20F, 1e-20F, 0, 3e38F, 0, 3e38F};
  const CanonicalVectors unit = canonical_vectors({f.data(), 3, 3});
  CHECK(unit.values == std::vector<float>{0.6F, 0.8F, 0, static_cast<float>(std::sqrt(0.5)),
                                          static_cast<float>(std::sqrt(0.5)), 0,
                                          static_cast<float>(std::sqrt(0.5)), 0,
                                          static_cast<float>(std::sqrt(0.5))});
}

TEST_CASE("the flip test adds before normalising") {
  const std::vector<float> f{1, 0}, mirrored{0, 3};
  const CanonicalVectors unit = canonical_vectors({f.data(), 1, 2}, MatrixView{mirrored.data(), 1, 2});
  CHECK(unit.values ==
        std::vector<float>{static_cast<float>(1 / std::sqrt(10.0)), static_cast<float>(3 / std::sqrt(10.0))});
}

TEST_CASE("the number of threads does not matter") {
  const std::vector<float> f = brute::random_values(5000 * 3, 1);
  CHECK(canonical_vectors({f.data(), 5000, 3}, std::nullopt, 1).values ==
        canonical_vectors({f.data(), 5000, 3}, std::nullopt, 4).values);
}

TEST_CASE("vectors without a direction are refused by name") {
  const float nan = std::numeric_limits<float>::quiet_NaN(),
              infinity = std::numeric_limits<float>::infinity();
  for (float bad : {0.0F, nan, infinity, -infinity}) {
    const std::vector<float> f{1, 2, bad, 0};
    CHECK_THAT(brute::error_of(ErrorKind::kData,
                               [&] {
                                 canonical_vectors({f.data(), 2, 2});
                               }),
               contains_text("row 1"));
  }
  const std::vector<float> f{1, 2, 3, 4}, mirrored{1, 2, -3, -4};  // the sum is zero
  CHECK_THAT(brute::error_of(ErrorKind::kData,
                             [&] {
                               canonical_vectors({f.data(), 2, 2}, MatrixView{mirrored.data(), 2, 2}, 1,
                                                 [](int64_t i) { return concat("face ", i); });
                             }),
             contains_text("face 1: "));
  CHECK_THAT(brute::error_of(ErrorKind::kData,
                             [&] {
                               canonical_vectors({f.data(), 2, 2}, MatrixView{mirrored.data(), 1, 2});
                             }),
             contains_text("(1, 2)"));
}

TEST_CASE("a store's canonical vectors take the flip test where it has both views, and name its items") {
  TempFolder folder;
  const std::vector<float> f{1, 0, 2, 0}, mirrored{0, 1, -2, 0};
  {
    EmbeddingStoreWriter writer(folder / "set", {2, 2, true, false}, {{"weights", "w"}});
    writer.append({f.data(), 2, 2}, mirrored.data(), nullptr,
                  std::vector<std::string>{"a.jpg\t0", "b.jpg\t0"});
    writer.commit();
  }
  CHECK_THAT(
      brute::error_of(ErrorKind::kData, [&] { canonical_vectors(EmbeddingStore::open(folder / "set")); }),
      contains_text("row 1 (b.jpg)"));
  {
    EmbeddingStoreWriter writer(folder / "set", {1, 2, true, false}, {{"weights", "w"}});
    writer.append({f.data(), 1, 2}, mirrored.data(), nullptr, std::vector<std::string>{"a.jpg\t0"});
    writer.commit();
  }
  const auto half = static_cast<float>(std::sqrt(0.5));
  CHECK(canonical_vectors(EmbeddingStore::open(folder / "set")).values == std::vector<float>{half, half});
}

TEST_CASE("scores and distances by hand") {
  const std::vector<float> a{0.6F, 0.8F}, b{0.8F, 0.6F};
  CHECK(score(a, b) == 2 * (double{0.6F} * double{0.8F}));
  CHECK(squared_distance(a, b) == Approx(0.08));
  CHECK(squared_distance(a, a) == 0);
}

TEST_CASE("every kernel gives the bits of the plain loop") {
  for (int64_t dim : {1, 7, 64, 513}) {
    const std::vector<float> values = brute::random_values((kKernelRows + 16) * dim, 7);
    const MatrixView all{values.data(), kKernelRows + 16, dim};
    const ScoreColumns columns({values.data() + kKernelRows * dim, 16, dim});
    std::vector<double> rows(static_cast<size_t>(kKernelRows * dim));
    for (int64_t i = 0; i < kKernelRows * dim; ++i) rows[i] = all.row(i % kKernelRows)[i / kKernelRows];
    for (const ScoreKernel& kernel : score_kernels()) {
      INFO(kernel.instructions << ", " << dim << " dimensions");
      std::vector<double> scores(kKernelRows * 20, -7);
      kernel.run(rows.data(), columns.panel(0), dim, scores.data(), 20);
      for (int64_t r = 0; r < kKernelRows; ++r) {
        for (int64_t c = 0; c < 16; ++c)
          CHECK(scores[r * 20 + c] == score(all.row(r), all.row(kKernelRows + c)));
        CHECK(scores[r * 20 + 16] == -7);
      }
    }
  }
}

TEST_CASE("every kernel for vectors that lie anywhere gives the bits of the plain loop") {
  for (const int64_t dim : {1, 3, 4, 64, 513}) {
    const std::vector<float> values = brute::random_values(20 * dim, 8);
    const MatrixView all{values.data(), 20, dim};
    const std::vector<int64_t> places{19, 3, 3, 7, 0, 12, 1, 5, 2, 11, 4};
    std::vector<const float*> vectors;
    for (const int64_t place : places) vectors.push_back(all.row(place).data());
    for (const SpreadKernel& kernel : spread_kernels()) {
      INFO(kernel.instructions << ", " << dim << " dimensions");
      std::vector<double> found(kSpread + 1, -7);
      kernel.run(all.row(9).data(), vectors.data(), dim, found.data());
      for (size_t k = 0; k < kSpread; ++k) CHECK(found[k] == score(all.row(9), all.row(places[k])));
      CHECK(found[kSpread] == -7);
    }
    std::vector<double> found(places.size());
    scores(all.row(9), vectors, found);
    for (size_t k = 0; k < places.size(); ++k) CHECK(found[k] == score(all.row(9), all.row(places[k])));
  }
}

TEST_CASE("every pair is visited once, in column order, with score()'s bits") {
  const int64_t n = GENERATE(1, 15, 16, 17, 259, 600), dim = 5;
  const std::vector<float> values = brute::random_values(n * dim, 3);
  const MatrixView m{values.data(), n, dim};
  const ScoreColumns columns(m);
  const int64_t first_column = GENERATE(0, 1, 16, 300), begin = n / 3, end = std::min<int64_t>(n, begin + 9);
  std::vector<int64_t> next(static_cast<size_t>(n), -1);
  int64_t wrong = 0;
  visit_scores(m, begin, end, columns, first_column,
               [&](int64_t row, int64_t first, std::span<const double> scores) {
                 if (next[row] < 0)
                   CHECK((first <= first_column && first > first_column - ScoreColumns::kWidth));
                 if (next[row] >= 0) CHECK(first == next[row]);
                 next[row] = first + static_cast<int64_t>(scores.size());
                 for (size_t c = 0; c < scores.size(); ++c)
                   wrong += scores[c] != score(m.row(row), m.row(first + static_cast<int64_t>(c)));
               });
  CHECK(wrong == 0);
  for (int64_t row = 0; row < n; ++row) {
    const bool visited = row >= begin && row < end && first_column / 16 * 16 < n;
    CHECK(next[row] == (visited ? n : -1));
  }
}

}  // namespace uir
