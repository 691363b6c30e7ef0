#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <thread>

#include "support/ranks.h"
#include "uir/base/error.h"
#include "uir/dist/communicator.h"
#include "uir/dist/process_group.h"
#include "uir/dist/work_limit.h"
// after the torch headers
#include "support/catch.h"
#include "support/errors.h"

namespace {

using uir::Communicator;
using uir::ErrorKind;

// Values that differ between ranks and positions.
at::Tensor rows_of(int64_t rank, int64_t rows, at::ScalarType type) {
  return (at::arange(rows * 3).view({rows, 3}) + 100 * (rank + 1)).to(type);
}

// What the ranks computed, by rank; Catch2's assertions are not thread-safe, so they run afterwards.
std::vector<at::Tensor> on_ranks(int64_t size, const std::function<at::Tensor(const Communicator&)>& body) {
  std::vector<at::Tensor> results(size);
  run_ranks(size, [&](std::shared_ptr<const Communicator> c) { results[c->rank()] = body(*c); });
  return results;
}

}  // namespace

TEST_CASE("a world of one returns what it was given") {
  const Communicator alone;
  CHECK(alone.rank() == 0);
  CHECK(alone.size() == 1);
  at::Tensor rows = rows_of(0, 2, at::kFloat);
  CHECK(at::equal(alone.all_gather_rows(rows), rows));
  CHECK(at::equal(alone.reduce_scatter_rows(rows), rows));
  alone.all_reduce_sum(rows);
  CHECK(at::equal(rows, rows_of(0, 2, at::kFloat)));
  alone.barrier();
  CHECK(alone.sum(7) == 7);
  CHECK(alone.announce_failure("why"));
}

TEST_CASE("collectives of several ranks") {
  const int64_t size = GENERATE(1, 2, 3, 4);
  const at::ScalarType type = GENERATE(at::kFloat, at::kDouble, at::kLong);
  CAPTURE(size, type);

  at::Tensor sum = at::zeros({2, 3}, type);
  std::vector<at::Tensor> blocks;
  for (int64_t rank = 0; rank < size; ++rank) {
    blocks.push_back(rows_of(rank, 2, type));
    sum += blocks.back();
  }
  for (const at::Tensor& result : on_ranks(size, [&](const Communicator& c) {
         at::Tensor mine = rows_of(c.rank(), 2, type);
         c.all_reduce_sum(mine);
         return mine;
       })) {
    CHECK(at::equal(result, sum));
  }
  for (const at::Tensor& result :
       on_ranks(size, [&](const Communicator& c) { return c.all_gather_rows(rows_of(c.rank(), 2, type)); })) {
    CHECK(at::equal(result, at::cat(blocks)));
  }

  at::Tensor scattered = at::zeros({2 * size, 3}, type);
  for (int64_t rank = 0; rank < size; ++rank) scattered += rows_of(rank, 2 * size, type);
  const auto results = on_ranks(
      size, [&](const Communicator& c) { return c.reduce_scatter_rows(rows_of(c.rank(), 2 * size, type)); });
  CHECK(at::equal(at::cat(results), scattered));
}

TEST_CASE("collectives accept views and empty blocks") {
  const auto gathered = on_ranks(2, [](const Communicator& c) {
    c.barrier();
    return c.all_gather_rows(rows_of(c.rank(), 2, at::kFloat).t());
  });
  CHECK(at::equal(gathered[1], at::cat({rows_of(0, 2, at::kFloat).t(), rows_of(1, 2, at::kFloat).t()})));
  for (const auto& empty : on_ranks(2, [](const Communicator& c) {
         return c.all_gather_rows(at::zeros({0, 3}));
       })) {
    CHECK(empty.sizes() == at::IntArrayRef({0, 3}));
  }
  for (const auto& empty : on_ranks(2, [](const Communicator& c) {
         return c.reduce_scatter_rows(at::zeros({0, 3}));
       })) {
    CHECK(empty.sizes() == at::IntArrayRef({0, 3}));
  }
}

TEST_CASE("the sum of numbers beyond float64's integers") {
  std::vector<int64_t> sums(3);
  run_ranks(3, [&](std::shared_ptr<const Communicator> c) {
    sums[c->rank()] = c->sum((int64_t{1} << 60) + c->rank());
  });
  CHECK(sums == std::vector<int64_t>(3, 3 * (int64_t{1} << 60) + 3));
}

TEST_CASE("bytes of any length are gathered in rank order") {
  const auto text_of = [](int64_t rank) { return std::string(rank * 5, static_cast<char>('a' + rank)); };
  CHECK(uir::all_gather_bytes(Communicator(), "alone") == std::vector<std::string>{"alone"});
  CHECK(uir::all_gather_bytes(Communicator(), "") == std::vector<std::string>{""});
  std::vector<std::vector<std::string>> results(3);
  run_ranks(3, [&](std::shared_ptr<const Communicator> c) {
    results[c->rank()] = uir::all_gather_bytes(*c, text_of(c->rank()));
  });
  for (const auto& result : results) CHECK(result == std::vector{text_of(0), text_of(1), text_of(2)});
}

TEST_CASE("a rank that leaves is named by the ranks left behind") {
  const auto error = error_of([] {
    run_ranks(
        3,
        [](std::shared_ptr<const Communicator> c) {
          at::Tensor one = at::full({1}, 1.0);
          if (c->rank() != 1) c->all_reduce_sum(one);
        },
        std::chrono::milliseconds(500));
  });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::kRankLost);
  CHECK_THAT(error->what(), contains_text("rank 1 of 3 was lost: it does not answer (all-reduce of rank "));
  CHECK_THAT(error->what(), !contains_text("rank 0 of 3 was lost") && !contains_text("rank 2 of 3 was lost"));
}

TEST_CASE("watched ranks notice one that fails, while they run no collective") {
  std::array<bool, 3> noticed{};
  std::array<std::string, 3> reasons;
  run_ranks(3, [&](std::shared_ptr<const Communicator> c) {
    const auto& ranks = dynamic_cast<const uir::ProcessGroupCommunicator&>(*c);
    const auto rank = static_cast<size_t>(c->rank());
    ranks.watch();
    if (rank == 1) {
      c->announce_failure("no more data");
      return;
    }
    for (int i = 0; i < 1000 && !ranks.lost(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    noticed[rank] = ranks.lost();
    at::Tensor one = at::full({1}, 1.0);
    const auto error = error_of([&] { c->all_reduce_sum(one); });
    if (error && error->kind() == ErrorKind::kRankLost) reasons[rank] = error->what();
  });
  CHECK(noticed == std::array{true, false, true});
  for (const size_t rank : {0, 2})
    CHECK_THAT(reasons[rank], contains_text("rank 1 of 3 failed: no more data"));
}

TEST_CASE("watched ranks that all come to the end notice nothing") {
  std::array<bool, 3> noticed{};
  run_ranks(3, [&](std::shared_ptr<const Communicator> c) {
    const auto& ranks = dynamic_cast<const uir::ProcessGroupCommunicator&>(*c);
    ranks.watch();
    std::this_thread::sleep_for(std::chrono::milliseconds(100 * c->rank()));  // not all at once
    noticed[static_cast<size_t>(c->rank())] = ranks.lost();
  });
  CHECK(noticed == std::array{false, false, false});
}

TEST_CASE("work that does not end within the limit is noticed once, and the latest work is what counts") {
  using std::chrono::milliseconds;
  const auto slept = [](int ms) { std::this_thread::sleep_for(milliseconds(ms)); };
  std::atomic<int> late = 0;
  {
    uir::WorkLimit limit(milliseconds(100), [&] { ++late; });
    slept(300);  // nothing runs
    CHECK(late == 0);
    limit.queued([] { return false; });  // the next one is queued behind it
    limit.queued([] { return true; });
    slept(300);
    CHECK(late == 0);
    limit.queued([]() -> bool { throw std::runtime_error("a device that has failed"); });
    slept(300);
    CHECK(late == 0);
    limit.queued([] { return false; });
    for (int i = 0; i < 1000 && late == 0; ++i) slept(10);
    slept(300);
    CHECK(late == 1);
  }
  const uir::WorkLimit never(std::chrono::hours(1), [&] { ++late; });  // ends at once all the same
  CHECK(late == 1);
}

TEST_CASE("a rank that fails tells the others why; an error that all share is told once") {
  std::vector<std::optional<uir::Error>> errors(3);
  run_ranks(3, [&](std::shared_ptr<const Communicator> c) {
    errors[c->rank()] = error_of([&] {
      uir::run_as_rank(*c, [&] {
        if (c->rank() == 1) uir::fail(ErrorKind::kData, "faces.idx: record 7 is cut off");
        c->barrier();
      });
    });
  });
  REQUIRE((errors[0] && errors[1] && errors[2]));
  CHECK(errors[1]->kind() == ErrorKind::kData);
  CHECK(errors[1]->what() == std::string("faces.idx: record 7 is cut off"));
  for (const auto& error : {errors[0], errors[2]}) {
    CHECK(error->kind() == ErrorKind::kRankLost);
    CHECK_THAT(error->what(), contains_text("rank 1 of 3 failed: faces.idx: record 7 is cut off"));
  }

  std::atomic<int> full{0}, short_ones{0};
  run_ranks(3, [&](std::shared_ptr<const Communicator> c) {
    const auto error = error_of(
        [&] { uir::run_as_rank(*c, [] { uir::fail(ErrorKind::kMissingInput, "index/: not there"); }); });
    if (!error || error->kind() != ErrorKind::kMissingInput) return;
    ++(error->what() == std::string("index/: not there") ? full : short_ones);
  });
  CHECK(full == 1);
  CHECK(short_ones == 2);
}

TEST_CASE("ranks that never meet are an error") {
  auto store = c10::make_intrusive<c10d::HashStore>();
  try {
    uir::ProcessGroupCommunicator(store, 0, 2, std::chrono::milliseconds(200), "127.0.0.1");
    FAIL("no error");
  } catch (const uir::Error& error) {
    CHECK(error.kind() == ErrorKind::kRankLost);
    CHECK_THAT(error.what(), contains_text("rank 0 of 2: the ranks did not meet within 200 ms"));
  }
}
