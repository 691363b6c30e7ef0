// The filter of low precision (pair_filter.h) of every kernel: its bound, and that it leaves out no pair that
// counts.
#include <array>
#include <cmath>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>

#include "support/brute_force.h"
#include "support/catch.h"
#include "uir/search/canonical.h"
#include "uir/search/pair_filter.h"

namespace uir {

namespace {

// Rows that are as bad for the filter as possible: long tails, values in the middle between two steps of a
// kernel, their residuals (which point along the errors), of lengths other than 1, zeros.
std::vector<std::vector<float>> adversarial_rows(size_t dim, int levels) {
  std::vector<std::vector<float>> rows;
  ItemRandom random(9, RandomPurpose::kTest, 0, 0);
  for (const double length : {1.0, 37.5, 1e-6}) {
    std::vector<float> spike(dim), halves(dim), residual(dim), normal(dim), long_tail(dim);
    for (size_t d = 0; d < dim; ++d) {
      spike[d] = static_cast<float>(d == 0 ? length : length * 1e-4);
      const double step = length / levels;
      const double whole = static_cast<double>(random.below(2 * levels - 1)) - (levels - 1);
      halves[d] = static_cast<float>(d == 0 ? length : step * (whole + 0.499));
      residual[d] = static_cast<float>(d == 0 ? 0 : step * 0.499);
      normal[d] = static_cast<float>(length * random.normal());
      long_tail[d] = static_cast<float>(length * std::pow(random.normal(), 5));
    }
    for (auto& row : {spike, halves, residual, normal, long_tail}) rows.push_back(row);
  }
  rows.emplace_back(dim, 0.0F);
  rows.emplace_back(dim, 1e-40F);
  return rows;
}

}  // namespace

TEST_CASE(
    "no pair that reaches the threshold fails the filter, and none passes from beyond twice the bound") {
  for (const size_t dim : {1UL, 3UL, 130UL}) {
    for (const FilterKernel& kernel : filter_kernels()) {
      const auto vectors = adversarial_rows(dim, kernel.int8() ? kernel.levels : 127);
      const auto n = static_cast<int64_t>(vectors.size());
      FilterVectors rows(kernel, FilterVectors::Side::kRows, n, static_cast<int64_t>(dim));
      FilterVectors columns(kernel, FilterVectors::Side::kColumns, n, static_cast<int64_t>(dim));
      for (int64_t i = 0; i < n; ++i) {
        rows.set(i, vectors[i]);
        columns.set(i, vectors[i]);
      }
      const auto passes = [&](const FilterVectors& panel, int64_t i, int64_t j, double threshold) {
        std::array<double, kFilterRows> thresholds;
        thresholds.fill(threshold);
        FilterMasks masks;
        if (!filter_tile(kernel, rows, i / kFilterRows, panel, 0, thresholds, masks)) return false;
        return (masks[i % kFilterRows] >> j & 1) != 0;
      };
      for (int64_t j = 0; j < n; ++j) {
        // A panel takes the largest norm and error of its columns, so the bound of a pair is that of a panel
        // of one.
        FilterVectors alone(kernel, FilterVectors::Side::kColumns, 1, static_cast<int64_t>(dim));
        alone.set(0, vectors[j]);
        for (int64_t i = 0; i < n; ++i) {
          const double exact = score(vectors[i], vectors[j]);
          const double bound = filter_bound(kernel, rows, i, columns, j);
          INFO(kernel.name << ", dim " << dim << ", rows " << i << " and " << j);
          CHECK(passes(columns, i, j, exact));
          CHECK(passes(alone, i, 0, exact));
          CHECK(passes(columns, i, j, -std::numeric_limits<double>::infinity()));
          CHECK_FALSE(passes(columns, i, j, std::numeric_limits<double>::infinity()));
          CHECK_FALSE(passes(alone, i, 0, exact + 2.001 * bound + 1e-30));
        }
      }
    }
  }
}

#ifdef __linux__
TEST_CASE("the processor's kernels are all there, fastest first") {
  std::ifstream file("/proc/cpuinfo");
  const std::string cpu(std::istreambuf_iterator<char>(file), {});
  const auto has = [&](std::string_view flag) {
    return cpu.find(concat(" ", flag, " ")) != std::string::npos ||
           cpu.find(concat(" ", flag, "\n")) != std::string::npos;
  };
  std::vector<std::string_view> expected, found;
  const bool avx2 = has("avx2") && has("fma");
  if (has("avx512_vnni") && has("avx512bw") && has("avx512vl")) expected.push_back("int8 avx512_vnni");
  if (avx2 && has("avx_vnni")) expected.push_back("int8 avx_vnni");
  if (avx2) expected.push_back("int8 avx2");
  if (has("avx512f")) expected.push_back("float32 avx512f");
  if (avx2) expected.push_back("float32 avx2");
  expected.push_back("float32 portable");
  for (const FilterKernel& kernel : filter_kernels()) found.push_back(kernel.name);
  CHECK(found == expected);
}
#endif

// Each panel has a length and an error of its own, which its limits must follow.
TEST_CASE("panels of growing length: what the copies score, less nearly the whole bound, passes") {
  const int64_t dim = 70, n = 200;
  const std::vector<float> values = brute::random_values(n * dim, 77);
  std::vector<std::vector<float>> vectors;
  for (int64_t i = 0; i < n; ++i) {
    std::vector<float> vector(values.begin() + i * dim, values.begin() + (i + 1) * dim);
    for (float& x : vector) x *= static_cast<float>(std::pow(1.1, static_cast<double>(i)));
    vectors.push_back(vector);
  }
  const auto dequantised = [&](const FilterKernel& kernel, std::vector<float> vector) {
    if (!kernel.int8()) return vector;
    float largest = 0;
    for (const float x : vector) largest = std::max(largest, std::abs(x));
    const float scale = largest / static_cast<float>(kernel.levels);
    for (float& x : vector) x = scale * std::nearbyint(x * (1 / scale));
    return vector;
  };
  for (const FilterKernel& kernel : filter_kernels()) {
    FilterVectors rows(kernel, FilterVectors::Side::kRows, n, dim);
    FilterVectors columns(kernel, FilterVectors::Side::kColumns, n, dim);
    for (int64_t i = 0; i < n; ++i) {
      rows.set(i, vectors[i]);
      columns.set(i, vectors[i]);
    }
    for (int64_t i = 0; i < n; i += 7) {
      for (int64_t j = 0; j < n; j += 3) {
        const double low = score(dequantised(kernel, vectors[i]), dequantised(kernel, vectors[j])) +
                           filter_bound(kernel, rows, i, columns, j) * 0.99;
        std::array<double, kFilterRows> thresholds;
        thresholds.fill(low);
        FilterMasks masks{};
        const bool any =
            filter_tile(kernel, rows, i / kFilterRows, columns, j / kFilterColumns, thresholds, masks);
        INFO(kernel.name << ", " << i << " and " << j);
        CHECK((any && (masks[i % kFilterRows] >> (j % kFilterColumns) & 1) != 0));
      }
    }
  }
}

TEST_CASE("the filter's bound is what it says for unit vectors") {
  const int64_t dim = 512, n = 40;
  const std::vector<float> values = brute::random_values(n * dim, 12);
  const CanonicalVectors v = canonical_vectors({values.data(), n, dim});
  for (const FilterKernel& kernel : filter_kernels()) {
    FilterVectors rows(kernel, FilterVectors::Side::kRows, n, dim);
    FilterVectors columns(kernel, FilterVectors::Side::kColumns, n, dim);
    for (int64_t i = 0; i < n; ++i) {
      rows.set(i, v.row(i));
      columns.set(i, v.row(i));
    }
    for (int64_t i = 0; i < n; ++i) {
      // int8: two residuals of about s·sqrt(D / 12), s = max|x| / L.
      const double bound = filter_bound(kernel, rows, i, columns, (i + 1) % n);
      CHECK(bound > (kernel.int8() ? 1.27 / kernel.levels : 512 * 0x1p-24));
      CHECK(bound < (kernel.int8() ? 3.81 / kernel.levels : 600 * 0x1p-24));
    }
  }
}

TEST_CASE("sums of the largest dimension do not overflow") {
  const std::vector<float> ones(kMaxDim, 1.0F), minus(kMaxDim, -1.0F);
  for (const FilterKernel& kernel : filter_kernels()) {
    FilterVectors rows(kernel, FilterVectors::Side::kRows, 2, kMaxDim);
    FilterVectors columns(kernel, FilterVectors::Side::kColumns, 2, kMaxDim);
    rows.set(0, ones);
    rows.set(1, minus);
    columns.set(0, ones);
    columns.set(1, minus);
    std::array<double, kFilterRows> thresholds;
    thresholds.fill(0.9999 * kMaxDim);
    FilterMasks masks;
    REQUIRE(filter_tile(kernel, rows, 0, columns, 0, thresholds, masks));
    CHECK(masks == FilterMasks{1, 2, 0, 0, 0, 0});
  }
}

}  // namespace uir
