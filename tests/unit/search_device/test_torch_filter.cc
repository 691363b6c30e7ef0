// Searches behind LibTorch's products, on the CPU, against float64 brute force to the last bit; and the
// bound.
#include <ATen/ATen.h>
#include <ATen/Context.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <vector>

#include "support/best_pairs.h"
#include "support/catch.h"
#include "support/errors.h"
#include "uir/base/random.h"
#include "uir/eval/trillion_pairs.h"
#include "uir/report/report.h"
#include "uir/search/pair_scan.h"
#include "uir/search/tail_search.h"
#include "uir/search/top_k.h"
#include "uir/search_device/torch_filter.h"

namespace uir {
namespace {

// The types that this LibTorch multiplies in on the CPU: half is missing in 1.13.
const std::vector<at::ScalarType>& types() {
  static const std::vector<at::ScalarType> all = [] {
    std::vector<at::ScalarType> found{at::kFloat, at::kBFloat16};
    try {
      at::mm(at::ones({2, 2}, at::kHalf), at::ones({2, 2}, at::kHalf));
      found.push_back(at::kHalf);
    } catch (const c10::Error&) {
    }
    return found;
  }();
  return all;
}

std::vector<float> normal_values(int64_t n, uint64_t seed) {
  ItemRandom random(seed, RandomPurpose::kTest, 0, 0);
  std::vector<float> values(static_cast<size_t>(n));
  for (float& value : values) value = static_cast<float>(random.normal());
  return values;
}

// Faces: `people` directions with noise; every seventh row is a copy of an earlier one, so that scores tie.
CanonicalVectors faces(int64_t n, int64_t dim, int64_t people, double noise) {
  const std::vector<float> centers = normal_values(people * dim, 31), noises = normal_values(n * dim, 32);
  std::vector<float> values(static_cast<size_t>(n * dim));
  for (int64_t i = 0; i < n; ++i) {
    const int64_t row = i % 7 == 6 ? i / 2 : i;
    for (int64_t d = 0; d < dim; ++d)
      values[i * dim + d] =
          centers[row % people * dim + d] + static_cast<float>(noise) * noises[row * dim + d];
  }
  return canonical_vectors({values.data(), n, dim});
}

struct Scored {
  int64_t row, column;
  double score;
};
std::vector<Scored> brute_force(const CanonicalVectors& v, PairsOf kind) {
  std::vector<Scored> pairs;
  for (int64_t i = 0; i < v.rows; ++i) {
    for (int64_t j = kind == PairsOf::kOneSet ? i + 1 : 0; j < v.rows; ++j) {
      double sum = 0;
      for (int64_t d = 0; d < v.cols; ++d)
        sum += static_cast<double>(v.values[i * v.cols + d]) * v.values[j * v.cols + d];
      pairs.push_back({i, j, sum});
    }
  }
  std::ranges::stable_sort(pairs, std::greater<>(), &Scored::score);
  return pairs;
}

// Equal scores stand by row, then by column.
std::vector<TailPair> brute_tail(const std::vector<Scored>& sorted, size_t n) {
  std::vector<TailPair> tail;
  for (size_t i = 0; i < std::min(sorted.size(), n); ++i)
    tail.push_back(
        {sorted[i].score, static_cast<uint32_t>(sorted[i].row), static_cast<uint32_t>(sorted[i].column)});
  return tail;
}

}  // namespace

TEST_CASE(
    "searches on a device agree with brute force to the last bit, whatever the type, blocks, memory, "
    "threads") {
  const CanonicalVectors vectors = faces(330, 48, 20, 0.7);
  const UnitRows rows(vectors);
  const auto pairs = brute_force(vectors, PairsOf::kOneSet),
             ordered = brute_force(vectors, PairsOf::kRowsAndColumns);
  std::vector<std::vector<Neighbour>> neighbours(static_cast<size_t>(vectors.rows));
  for (const Scored& pair : ordered) {
    if (neighbours[pair.row].size() < 5) neighbours[pair.row].push_back({pair.column, pair.score});
  }
  for (const at::ScalarType type : types()) {
    const TorchFilter filter(at::kCPU, type);
    for (const auto& [memory, row_block, column_block, threads] :
         {std::tuple<int64_t, int64_t, int64_t, int>{int64_t{1} << 30, 0, 0, 1},
          {900'000, 0, 0, 2},
          {int64_t{1} << 30, 100, 70, 3}}) {
      ScanOptions options{.resources = {.threads = threads, .memory = memory, .device = &filter},
                          .row_block = row_block,
                          .column_block = column_block};
      INFO(filter.name() << ", memory " << memory << ", row block " << row_block);
      for (const size_t n : {size_t{1}, size_t{40}, size_t{5000}})
        CHECK((best_pairs(rows, rows, PairsOf::kOneSet, static_cast<int64_t>(n), nullptr, options) ==
               brute_tail(pairs, n)));
      CHECK((best_pairs(rows, rows, PairsOf::kRowsAndColumns, 700, nullptr, options) ==
             brute_tail(ordered, 700)));
      CHECK((top_k(rows, rows, 5, nullptr, options) == neighbours));
    }
  }
}

TEST_CASE("a search on a device rescores few pairs") {
  const CanonicalVectors vectors = faces(1500, 64, 1500, 0.5);
  const UnitRows rows(vectors);
  for (const at::ScalarType type : types()) {
    const TorchFilter filter(at::kCPU, type);
    TailSearch search(20, "test");
    const ScanCounts counts =
        scan_pairs(rows, rows, PairsOf::kOneSet, search, {.resources = {.device = &filter}});
    CHECK(counts.pairs == 1500 * 1499 / 2);
    CHECK(counts.rescored < counts.pairs / 20);
  }
}

TEST_CASE("too little memory for a product on a device is an error of the config") {
  const CanonicalVectors vectors = faces(100, 48, 20, 0.7);
  const TorchFilter filter(at::kCPU, at::kFloat);
  const ScanResources little{.memory = 10'000, .device = &filter};
  CHECK(kind_of([&] {
          best_pairs(UnitRows(vectors), UnitRows(vectors), PairsOf::kOneSet, 5, nullptr,
                     {.resources = little});
        }) == ErrorKind::kConfig);
}

TEST_CASE("Trillion-Pairs on a device gives the report of the processor") {
  const CanonicalVectors vectors = faces(420, 48, 20, 1.4);
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < vectors.rows; ++i) labels.push_back(i < 170 ? i % 20 : -1);
  TrillionPairsProtocol protocol;
  protocol.impostors = Impostors::kAll;
  protocol.fpr = {1e-9, 1e-3};
  protocol.identification_fpr = {1e-3, 0.1};
  const ProtocolResult expected = run_trillion_pairs("t", UnitRows(vectors), labels, protocol, {});
  for (const Measurement& number : expected.numbers) REQUIRE(number.defined());
  for (const at::ScalarType type : types()) {
    const TorchFilter filter(at::kCPU, type);
    for (const int64_t memory : {int64_t{1} << 30, int64_t{1} << 20}) {
      DividedScanOptions run;
      run.resources = {.threads = 2, .memory = memory, .device = &filter};
      const ProtocolResult found = run_trillion_pairs("t", UnitRows(vectors), labels, protocol, run);
      REQUIRE(found.numbers.size() == expected.numbers.size());
      for (size_t k = 0; k < found.numbers.size(); ++k)
        CHECK(found.numbers[k].value == expected.numbers[k].value);
      CHECK(found.details == expected.details);
    }
  }
}

namespace {

// As bad for a filter as possible: long tails, values between two numbers of the type, their residuals,
// nearly equal vectors, sums that cancel out, denormals of each type, zeros, lengths other than 1.
std::vector<std::vector<float>> adversarial(size_t dim) {
  std::vector<std::vector<float>> rows;
  ItemRandom random(17, RandomPurpose::kTest, 0, 0);
  for (const double length : {1.0, 23.0, 1e-6}) {
    std::vector<float> spike(dim), between(dim), above(dim), normal(dim), nearly(dim), cancels(dim),
        opposes(dim), long_tail(dim);
    for (size_t d = 0; d < dim; ++d) {
      spike[d] = static_cast<float>(d == 0 ? length : length * 1e-4);
      between[d] = static_cast<float>(length * (1 + 0x1p-8 + 0x1p-11 + 0x1p-12));
      above[d] = static_cast<float>(length * (1 + 0x1p-9 - 0x1p-16));
      normal[d] = static_cast<float>(length * random.normal());
      nearly[d] = std::nextafter(normal[d], 2.0F * normal[d]);
      cancels[d] =
          static_cast<float>((d % 2 == 0 ? 1 : -1) * length * (1 + static_cast<double>(d / 2) / 100));
      opposes[d] =
          static_cast<float>(length * (1 + static_cast<double>(d / 2) / 100 + (d % 2 == 0 ? 1e-6 : 0)));
      long_tail[d] = static_cast<float>(length * std::pow(random.normal(), 3));
    }
    for (auto& row : {spike, between, above, normal, nearly, cancels, opposes, long_tail})
      rows.push_back(row);
  }
  for (const float tiny : {1e-40F, 1e-38F, 3e-8F, 5e-5F, 0.0F}) rows.emplace_back(dim, tiny);
  return rows;
}

}  // namespace

TEST_CASE("no pair that reaches its threshold fails a device's filter, and none passes from far below") {
  for (const at::ScalarType type : types()) {
    const TorchFilter filter(at::kCPU, type);
    const double spacing = type == at::kHalf ? 0x1p-10 : type == at::kBFloat16 ? 0x1p-7 : 0x1p-23;
    const double smallest = type == at::kHalf ? 0x1p-14 : 0x1p-126;
    for (const size_t dim : {1UL, 2UL, 65UL, 777UL}) {
      const auto rows = adversarial(dim);
      const auto n = static_cast<int64_t>(rows.size());
      const auto vectors = filter.make_vectors(n, static_cast<int64_t>(dim));
      for (int64_t i = 0; i < n; ++i) vectors->set(i, rows[static_cast<size_t>(i)]);
      const auto product = filter.multiply(*vectors, {0, n}, *vectors, {0, n});
      int64_t told_apart = 0;
      for (int64_t i = 0; i < n; ++i) {
        for (int64_t j = 0; j < n; ++j) {
          const double exact = score(rows[i], rows[j]);
          const auto passes = [&](double threshold) {
            std::vector<BlockFilter::Pair> found;
            CHECK(product->passing({i, i + 1}, {j, j + 1}, std::vector{threshold}, 1, found));
            if (!found.empty()) CHECK((found[0].row == i && found[0].column == j));
            return !found.empty();
          };
          INFO(filter.name() << ", dim " << dim << ", rows " << i << " and " << j << ", score " << exact);
          CHECK(passes(exact));
          CHECK(passes(-std::numeric_limits<double>::infinity()));
          const double bound = TorchFilter::bound(*vectors, i, *vectors, j);
          const double far =
              exact + 2.01 * bound + 3 * (spacing * (std::abs(exact) + 3 * bound) + smallest) + 1e-30;
          if (std::abs(exact) > 6e4) continue;  // infinite in half: passes, to be scored exactly
          CHECK_FALSE(passes(far));
          told_apart += 1;
        }
      }
      CHECK(told_apart > n * n / 2);
      // One call for all pairs finds what single calls find.
      std::vector<BlockFilter::Pair> found;
      CHECK(
          product->passing({0, n}, {0, n}, std::vector<double>(static_cast<size_t>(n), -1e30), n * n, found));
      CHECK(std::ssize(found) == n * n);
      found.clear();
      CHECK_FALSE(product->passing({0, n}, {0, n}, std::vector<double>(static_cast<size_t>(n), -1e30),
                                   n * n - 1, found));
      CHECK(found.empty());
      CHECK(product->passing(
          {0, n}, {0, n},
          std::vector<double>(static_cast<size_t>(n), std::numeric_limits<double>::infinity()), n * n,
          found));
    }
  }
}

TEST_CASE("products keep to the bound against float64, sums of cancelling terms included") {
  constexpr int64_t kDim = 4096, kRows = 24;
  for (const at::ScalarType type : types()) {
    const TorchFilter filter(at::kCPU, type);
    std::vector<float> values = normal_values(kRows * kDim, 5);
    for (int64_t i = 0; i < kRows; ++i) {  // the second half undoes the first, nearly
      for (int64_t d = 0; d < kDim / 2 && i % 3 != 0; ++d)
        values[i * kDim + kDim / 2 + d] = (i % 3 == 1 ? 1.0F : -1.0F) * values[d] * (1 + 0x1p-20F);
    }
    const auto vectors = filter.make_vectors(kRows, kDim);
    vectors->set(0, values);
    const at::Tensor all = at::from_blob(values.data(), {kRows, kDim}, at::kFloat);
    const at::Tensor products = at::mm(all.to(type), all.to(type).t()).to(at::kDouble);
    const at::Tensor exact = at::mm(all.to(at::kDouble), all.to(at::kDouble).t());
    const double spacing = type == at::kHalf ? 0x1p-10 : type == at::kBFloat16 ? 0x1p-7 : 0x1p-23;
    for (int64_t i = 0; i < kRows; ++i) {
      for (int64_t j = 0; j < kRows; ++j) {
        const double product = products[i][j].item<double>(),
                     error = std::abs(product - exact[i][j].item<double>());
        CHECK(error <= TorchFilter::bound(*vectors, i, *vectors, j) + spacing * std::abs(product));
      }
    }
  }
}

TEST_CASE("the bound for unit vectors is small enough to be of use") {
  const CanonicalVectors vectors = faces(50, 512, 50, 0.5);
  for (const at::ScalarType type : types()) {
    const TorchFilter filter(at::kCPU, type);
    const auto loaded = filter.make_vectors(50, 512);
    loaded->set(0, vectors.values);
    const double bound = TorchFilter::bound(*loaded, 3, *loaded, 5);
    const double sums = 512 * 0x1p-22, unit = type == at::kHalf       ? 0x1p-11
                                              : type == at::kBFloat16 ? 0x1p-8
                                                                      : 0;
    CHECK(bound >= sums);
    CHECK(bound <= 1.05 * sums + 2 * unit);
  }
}

TEST_CASE("a filter forbids TensorFloat-32 and reduced sums, and refuses other types") {
  at::Context& context = at::globalContext();
  context.setAllowFP16ReductionCuBLAS(false);
  const auto forbidden = context.allowFP16ReductionCuBLAS();  // a bool, or an enumeration in later LibTorches
  context.setFloat32MatmulPrecision("medium");
  context.setAllowFP16ReductionCuBLAS(true);
  REQUIRE((context.allowFP16ReductionCuBLAS() != forbidden));
  const TorchFilter filter(at::kCPU, at::kFloat);
  CHECK(context.float32MatmulPrecision() == at::Float32MatmulPrecision::HIGHEST);
  CHECK((context.allowFP16ReductionCuBLAS() == forbidden));
  CHECK(kind_of([] { TorchFilter(at::kCPU, at::kInt); }) == ErrorKind::kInternal);
  CHECK(fastest_torch_filter(at::kCPU)->name() == "Float products on cpu");
}

}  // namespace uir
