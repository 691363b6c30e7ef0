#include "uir/data/sampler.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "support/catch.h"
#include "support/faces_on_disk.h"
#include "support/temp_folder.h"
#include "uir/base/error.h"

using namespace uir;

namespace {

// 35 labeled rows of 7 people (rows 0 to 34), 13 unlabeled (35 to 47).
Index small_index(const TempFolder& folder) {
  return make_index(folder / "index", {synthetic_source("known", Role::kLabeled, 7, 5),
                                       synthetic_source("strangers", Role::kUnlabeled, 13, 1, 50)});
}

TrainingSampler::Shape shape(int64_t labeled, int64_t unlabeled, int64_t accumulation = 1, int64_t rank = 0,
                             int64_t num_ranks = 1) {
  return {labeled, unlabeled, accumulation, rank, num_ranks};
}

bool same(const Sample& a, const Sample& b) {
  return a.row == b.row && a.label == b.label && a.epoch == b.epoch;
}

// Rows of the labeled or of the unlabeled samples.
std::vector<int64_t> rows_of(const std::vector<Sample>& samples, bool labeled) {
  std::vector<int64_t> rows;
  for (const Sample& sample : samples) {
    if ((sample.label >= 0) == labeled) rows.push_back(sample.row);
  }
  return rows;
}

ErrorKind kind_of_failure(const Index& index, TrainingSampler::Shape shape) {
  try {
    const TrainingSampler sampler(index, shape, 1);
  } catch (const Error& error) {
    return error.kind();
  }
  return ErrorKind::kInternal;
}

}  // namespace

TEST_CASE("An epoch has every labeled row once, in an order of its own", "[sampler]") {
  const TempFolder folder;
  const Index index = small_index(folder);
  const TrainingSampler sampler(index, shape(5, 0), 1);
  REQUIRE(sampler.steps_per_epoch() == 7);
  std::set<std::vector<int64_t>> orders;
  for (int64_t epoch = 0; epoch < 5; ++epoch) {
    std::vector<int64_t> rows;
    for (int64_t step = 0; step < 7; ++step) {
      for (const Sample& sample : sampler.micro_batch(epoch * 7 + step)) {
        CHECK(sample.label == sample.row / 5);
        CHECK(sample.epoch == static_cast<uint64_t>(epoch));
        rows.push_back(sample.row);
      }
    }
    orders.insert(rows);
    std::sort(rows.begin(), rows.end());
    std::vector<int64_t> all(35);
    std::iota(all.begin(), all.end(), 0);
    CHECK(rows == all);
  }
  CHECK(orders.size() == 5);
}

TEST_CASE("The incomplete last batch of an epoch is dropped", "[sampler]") {
  const TempFolder folder;
  const TrainingSampler sampler(small_index(folder), shape(8, 0), 1);
  REQUIRE(sampler.steps_per_epoch() == 4);
  std::set<int64_t> rows;
  for (int64_t step = 0; step < 4; ++step) {
    for (const Sample& sample : sampler.micro_batch(step)) rows.insert(sample.row);
  }
  CHECK(rows.size() == 32);
  CHECK(sampler.micro_batch(4).front().epoch == 1);
}

TEST_CASE("The unlabeled stream has its own position and reshuffles when it wraps", "[sampler]") {
  const TempFolder folder;
  const TrainingSampler sampler(small_index(folder), shape(5, 6), 1);
  std::vector<Sample> stream;
  for (int64_t step = 0; step < 26; ++step) {
    for (const Sample& sample : sampler.micro_batch(step)) {
      if (sample.label == -1) stream.push_back(sample);
    }
  }
  REQUIRE(stream.size() == 26 * 6);  // twelve passes
  std::set<std::vector<int64_t>> orders;
  for (size_t pass = 0; pass < 12; ++pass) {
    std::vector<int64_t> rows;
    for (size_t i = pass * 13; i < (pass + 1) * 13; ++i) {
      CHECK(stream[i].epoch == pass);
      rows.push_back(stream[i].row);
    }
    orders.insert(rows);
    std::sort(rows.begin(), rows.end());
    std::vector<int64_t> all(13);
    std::iota(all.begin(), all.end(), 35);
    REQUIRE(rows == all);
  }
  CHECK(orders.size() == 12);
}

TEST_CASE("The unlabeled batch may be larger than the stream", "[sampler]") {
  const TempFolder folder;
  const TrainingSampler sampler(small_index(folder), shape(5, 30), 1);
  std::map<int64_t, int> times;
  for (const int64_t row : rows_of(sampler.micro_batch(0), false)) ++times[row];
  CHECK(times.size() == 13);
  for (const auto& [row, count] : times) CHECK((count == 2 || count == 3));
}

TEST_CASE("Ranks and accumulation steps share one global order", "[sampler]") {
  const TempFolder folder;
  const Index index = small_index(folder);
  const TrainingSampler whole(index, shape(16, 8), 3);
  for (const int64_t num_ranks : {1, 2, 4}) {
    for (const int64_t accumulation : {1, 2}) {
      for (int64_t step = 0; step < 5; ++step) {
        std::vector<int64_t> labeled, unlabeled;
        for (int64_t rank = 0; rank < num_ranks; ++rank) {
          const TrainingSampler sampler(index, shape(16, 8, accumulation, rank, num_ranks), 3);
          for (int64_t part = 0; part < accumulation; ++part) {
            const std::vector<Sample> samples = sampler.micro_batch(step * accumulation + part);
            REQUIRE(samples.size() == static_cast<size_t>(24 / num_ranks / accumulation));
            REQUIRE(std::is_partitioned(samples.begin(), samples.end(),
                                        [](const Sample& s) { return s.label >= 0; }));
            for (const int64_t row : rows_of(samples, true)) labeled.push_back(row);
            for (const int64_t row : rows_of(samples, false)) unlabeled.push_back(row);
          }
        }
        CAPTURE(num_ranks, accumulation, step);
        REQUIRE(labeled == rows_of(whole.micro_batch(step), true));
        REQUIRE(unlabeled == rows_of(whole.micro_batch(step), false));
      }
    }
  }
}

TEST_CASE("A batch is a pure function of its number and the seed", "[sampler]") {
  const TempFolder folder;
  const Index index = small_index(folder);
  const TrainingSampler first(index, shape(5, 4), 9), resumed(index, shape(5, 4), 9),
      other(index, shape(5, 4), 10);
  bool differs = false;
  for (const int64_t m : {40, 3, 17, 0, 3}) {
    const std::vector<Sample> a = first.micro_batch(m), b = resumed.micro_batch(m), c = other.micro_batch(m);
    REQUIRE(std::equal(a.begin(), a.end(), b.begin(), b.end(), same));
    differs |= !std::equal(a.begin(), a.end(), c.begin(), c.end(), same);
  }
  CHECK(differs);
}

TEST_CASE("Labeled batches do not depend on the unlabeled count", "[sampler]") {
  const TempFolder folder;
  const Index index = small_index(folder);
  const TrainingSampler with(index, shape(5, 4), 9), without(index, shape(5, 0), 9);
  for (int64_t m = 0; m < 20; ++m)
    CHECK(rows_of(with.micro_batch(m), true) == rows_of(without.micro_batch(m), true));
}

TEST_CASE("Held-out rows are never drawn", "[sampler]") {
  const TempFolder folder;
  SourceConfig source = synthetic_source("known", Role::kLabeled, 7, 5);
  source.held_out = 0.4;
  const Index index = make_index(folder / "index", {source});
  const auto flags = index.flags();
  const int64_t kept =
      std::count_if(flags.begin(), flags.end(), [](uint32_t f) { return (f & kHeldOut) == 0; });
  REQUIRE(kept < 35);
  const TrainingSampler sampler(index, shape(1, 0), 1);
  CHECK(sampler.steps_per_epoch() == kept);
  for (int64_t m = 0; m < kept; ++m)
    CHECK((flags[static_cast<size_t>(sampler.micro_batch(m)[0].row)] & kHeldOut) == 0);
}

TEST_CASE("Impossible batches are refused", "[sampler]") {
  const TempFolder folder;
  const Index index = small_index(folder);
  CHECK(kind_of_failure(index, shape(36, 0)) == ErrorKind::kConfig);          // more than there are
  CHECK(kind_of_failure(index, shape(5, 4, 2)) == ErrorKind::kConfig);        // 5 labeled rows in 2 parts
  CHECK(kind_of_failure(index, shape(4, 5, 2)) == ErrorKind::kConfig);        // 5 unlabeled rows in 2 parts
  CHECK(kind_of_failure(index, shape(6, 6, 2, 0, 2)) == ErrorKind::kConfig);  // by 4
  const Index labeled = make_index(folder / "labeled", {synthetic_source("known", Role::kLabeled, 7, 5)});
  CHECK(kind_of_failure(labeled, shape(5, 1)) == ErrorKind::kConfig);
}
