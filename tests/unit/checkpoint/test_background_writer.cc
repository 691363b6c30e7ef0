#include "checkpoint_support.h"
//
#include <ATen/ops/full_like.h>

#include <latch>

#include "uir/base/log.h"
#include "uir/checkpoint/background_writer.h"

using namespace uir;
using namespace checkpoint_test;

namespace {

std::latch* gate = nullptr;

// Holds the write back at its first point until the gate opens.
void wait_at_gate(std::string_view) { gate->wait(); }

struct Gate {
  Gate() {
    gate = &latch;
    set_failpoint_handler(wait_at_gate);
  }
  ~Gate() { set_failpoint_handler(nullptr); }
  std::latch latch{1};
};

}  // namespace

TEST_CASE("background writer: what is written is what was there at the start") {
  TempFolder root;
  BackgroundWriter writer(root.path(), 2, {});
  const CheckpointContents contents = make_contents(1);
  {
    Gate closed;
    writer.start(snapshot(contents));
    contents.centers.fill_(-1);  // training goes on
    for (const NamedTensors* tensors : {&contents.model, &contents.optimizer}) {
      for (const auto& [name, tensor] : *tensors) at::Tensor(tensor).fill_(-1);
    }
    CHECK_FALSE(fs::exists(root / "latest"));
    CHECK_FALSE(writer.failed());
    closed.latch.count_down();
    writer.wait();
  }
  CHECK(holds(*latest_checkpoint(root.path()), 1));
}

TEST_CASE("background writer: one after the other, and the old ones go") {
  TempFolder root;
  {
    BackgroundWriter writer(root.path(), 2, {});
    for (const int64_t step : {1, 2, 3, 4}) writer.start(snapshot(make_contents(step)));
  }  // the last one is waited for
  CHECK(names_in(root.path()) == std::vector<std::string>{"latest", "step-0000000003", "step-0000000004"});
  CHECK(holds(*latest_checkpoint(root.path()), 4));
}

TEST_CASE("background writer: a launcher that would not wait for it is warned about once") {
  TempFolder root;
  std::string said;
  LogSink before = set_log_sink([&](LogLevel level, std::string_view text) {
    if (level == LogLevel::kWarning) said += std::string(text) + "\n";
  });
  const auto save = [&](double grace_s) {
    BackgroundWriter writer(root.path(), 2, {}, grace_s);
    for (const int64_t step : {1, 2}) writer.start(snapshot(make_contents(step)));
  };
  save(0);
  save(1e6);
  CHECK(said.empty());
  save(1e-9);
  set_log_sink(std::move(before));
  CHECK(said.find("a checkpoint takes 1 s, but the launcher kills its ranks 1e-09 s after") == 0);
  CHECK(said.find("--shutdown-timeout 1 or more") != std::string::npos);
  CHECK(said.find('\n') == said.size() - 1);
}

TEST_CASE(
    "background writer: a failure is thrown where it is asked for, once, and the old checkpoint stays") {
  TempFolder root;
  BackgroundWriter writer(root.path(), 2, {});
  writer.start(make_contents(1));
  writer.wait();
  {
    const FailpointGuard guard(5, fail_when_due);
    writer.start(make_contents(2));
    CHECK(fails_with(ErrorKind::kIo, [&] { writer.start(make_contents(3)); }));
  }
  CHECK_FALSE(writer.failed());
  writer.wait();
  CHECK(holds(*latest_checkpoint(root.path()), 1));
  CHECK_FALSE(has_leftovers(root.path()));
}

TEST_CASE("background writer: a failure that nobody asks for is a warning") {
  TempFolder root;
  Warnings warnings;
  {
    const FailpointGuard guard(5, fail_when_due);
    BackgroundWriter writer(root.path(), 2, {});
    writer.start(make_contents(2));
  }
  REQUIRE(warnings.lines.size() == 1);
  CHECK_THAT(warnings.lines[0], contains_text("the last checkpoint was not saved"));
}

TEST_CASE("background writer: if one rank fails, all know") {
  TempFolder root;
  std::atomic<int> failed = 0;
  const FailpointGuard guard(7, fail_when_due);
  run_as_ranks(3, [&](const RankGroup& group) {
    BackgroundWriter writer(root.path(), 2, group);
    writer.start(snapshot(make_contents(1, 5, group.rank, group.size)));
    failed += fails_with(ErrorKind::kIo, [&] { writer.wait(); });
  });
  CHECK(failed == 3);
  CHECK(names_in(root.path()).empty());
}

TEST_CASE("a snapshot shares no memory, and is contiguous") {
  const CheckpointContents contents = make_contents(1);
  const CheckpointContents copy = snapshot(contents);
  CHECK(same(copy.model, contents.model));
  CHECK(same(copy.centers_optimizer, contents.centers_optimizer));
  for (const auto& [name, tensor] : copy.model) {
    CHECK(tensor.is_contiguous());
    CHECK(tensor.data_ptr() != contents.model.at(name).data_ptr());
  }
  CHECK(copy.centers.data_ptr() != contents.centers.data_ptr());
}
