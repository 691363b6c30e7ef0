#include <numeric>
#include <set>

#include "support/catch.h"
#include "support/errors.h"
#include "uir/base/log.h"
#include "uir/base/parallel.h"
#include "uir/base/progress.h"
#include "uir/base/random.h"

using namespace uir;

TEST_CASE("a permutation visits every item once and differs between epochs") {
  for (const uint64_t n : {1, 2, 3, 7, 64, 1000, 4097}) {
    const RandomPermutation permutation(n, 5, RandomPurpose::kTest, 0);
    std::set<uint64_t> seen;
    for (uint64_t i = 0; i < n; ++i) seen.insert(permutation(i));
    CHECK(seen.size() == n);
    CHECK(*seen.rbegin() == n - 1);
  }
  const RandomPermutation first(1000, 5, RandomPurpose::kTest, 0), second(1000, 5, RandomPurpose::kTest, 1);
  int same = 0;
  for (uint64_t i = 0; i < 1000; ++i) same += first(i) == second(i);
  CHECK(same < 10);  // one is expected by chance
}

TEST_CASE("every position of a permutation is equally likely") {
  constexpr uint64_t kItems = 10, kTrials = 20000;
  std::vector<int> counts(kItems * kItems);
  for (uint64_t seed = 0; seed < kTrials; ++seed) {
    const RandomPermutation permutation(kItems, seed, RandomPurpose::kTest, 0);
    for (uint64_t i = 0; i < kItems; ++i) ++counts[i * kItems + permutation(i)];
  }
  double chi_square = 0;
  for (const int count : counts) chi_square += std::pow(count - 2000.0, 2) / 2000.0;
  CHECK(chi_square < 137);  // 99.9 % quantile at 81 degrees of freedom is 127; the seeds are fixed
}

TEST_CASE("item randomness is a pure function with the right moments") {
  ItemRandom a(1, RandomPurpose::kTest, 2, 3), b(1, RandomPurpose::kTest, 2, 3),
      c(1, RandomPurpose::kTest, 2, 4);
  CHECK(a.next() == b.next());
  CHECK(a.next() != c.next());
  double sum = 0, square = 0, normal_square = 0;
  constexpr int kDraws = 100000;
  for (int i = 0; i < kDraws; ++i) {
    const double u = a.uniform(), z = a.normal();
    sum += u;
    square += u * u;
    normal_square += z * z;
    REQUIRE((u >= 0 && u < 1));
  }
  CHECK(sum / kDraws == Approx(0.5).margin(0.005));
  CHECK(square / kDraws == Approx(1.0 / 3).margin(0.005));
  CHECK(normal_square / kDraws == Approx(1.0).margin(0.02));
  CHECK(ItemRandom(1, RandomPurpose::kTest, 0, 0).next() ==
        0xb52523ebd2e9e657ULL);  // golden: order of all batches
}

TEST_CASE("a parallel loop covers everything once and stops at the first error") {
  std::vector<int> visits(1003);
  parallel_blocks(1003, 10, 4, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) ++visits[i];
  });
  CHECK(std::accumulate(visits.begin(), visits.end(), 0) == 1003);
  CHECK(*std::max_element(visits.begin(), visits.end()) == 1);
  CHECK(kind_of([] {
          parallel_blocks(100, 1, 3, [](int64_t begin, int64_t) {
            if (begin == 50) fail(ErrorKind::kIo, "disk");
          });
        }) == ErrorKind::kIo);
}

TEST_CASE("progress and durations in words") {
  CHECK(format_duration(7) == "0:07");
  CHECK(format_duration(5025) == "1:23:45");
  Progress progress("indexing lfw", "images", 100);
  progress.add(40);
  CHECK(progress.line().starts_with("indexing lfw: 40/100 images, "));
  CHECK(progress.line().ends_with(" left"));
}

TEST_CASE("threads by default are this process's share of the processors") {
  const int processors = uir::resolve_threads(0);
  uir::share_processors(2);
  CHECK(uir::resolve_threads(0) == std::max(1, processors / 2));
  uir::share_processors(processors + 1);
  CHECK(uir::resolve_threads(0) == 1);
  CHECK(uir::resolve_threads(3) == 3);
  uir::share_processors(1);
  CHECK(uir::resolve_threads(0) == processors);
}
