// Checkpoints with known contents, and what damages them. Included after LibTorch's headers by itself.
#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <cstring>
#include <functional>
#include <thread>
#include <vector>

#include "support/catch.h"
#include "support/errors.h"
#include "support/file_bytes.h"
#include "support/temp_folder.h"
#include "uir/base/log.h"
#include "uir/base/random.h"
#include "uir/checkpoint/checkpoint.h"
#include "uir/checkpoint/layout.h"

namespace checkpoint_test {

using namespace uir;

inline bool same(const at::Tensor& a, const at::Tensor& b) {
  return a.scalar_type() == b.scalar_type() && a.sizes() == b.sizes() &&
         (a.numel() == 0 ||
          std::memcmp(a.contiguous().data_ptr(), b.contiguous().data_ptr(), a.nbytes()) == 0);
}

inline bool same(const NamedTensors& a, const NamedTensors& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.first == y.first && same(x.second, y.second);
  });
}

// Values that name their step and row.
inline at::Tensor center_rows(int64_t step, RowRange rows, int64_t dim) {
  const at::Tensor row = at::arange(rows.begin, rows.end, at::kFloat).unsqueeze(1);
  return row * 100 + at::arange(dim, at::kFloat) + static_cast<double>(step) / 1024;
}

inline RowRange shard(int64_t num_classes, int64_t rank, int64_t ranks) {
  const int64_t base = num_classes / ranks, more = num_classes % ranks;
  const int64_t begin = rank * base + std::min(rank, more);
  return {begin, begin + base + (rank < more)};
}

// Everything a checkpoint can hold, as a function of the step.
inline CheckpointContents make_contents(int64_t step, int64_t num_classes = 5, int64_t rank = 0,
                                        int64_t ranks = 1) {
  CheckpointContents c;
  c.step = step;
  c.model = {
      {"conv.weight",
       (at::arange(24, at::kFloat) + step).view({2, 3, 2, 2}).contiguous(at::MemoryFormat::ChannelsLast)},
      {"bn.num_batches_tracked", at::scalar_tensor(step, at::kLong)},
      {"half", at::arange(3, at::kHalf)}};
  c.optimizer = {{"momentum/conv.weight", at::arange(24, at::kFloat) * step},
                 {"step", at::scalar_tensor(step, at::kLong)}};
  c.state = {{"margin", at::tensor({20.0, 1.5}, at::kDouble)}};
  c.num_classes = num_classes;
  c.rows = shard(num_classes, rank, ranks);
  c.centers = center_rows(step, c.rows, 3);
  c.centers_optimizer = {{"mean/centers", center_rows(step, c.rows, 3) * 2},
                         {"square/centers", center_rows(step, c.rows, 1)}};
  c.model_config = {{"type", "iresnet"}, {"depth", 18}};
  c.train_state = {{"position", step * 96}, {"loss", 0.1}};
  c.config = concat("train:\n  seed: ", step, "\n");
  c.data_fingerprint = "d1";
  c.classes_fingerprint = "c1";
  c.threads = 2;
  return c;
}

inline bool holds(const Checkpoint& checkpoint, int64_t step) {
  const CheckpointContents c = make_contents(step);
  return checkpoint.step() == step && same(checkpoint.model(), c.model) &&
         same(checkpoint.optimizer(), c.optimizer) && same(checkpoint.state(), c.state) &&
         same(checkpoint.read_centers({0, 5}), c.centers) &&
         same(checkpoint.read_centers_optimizer({0, 5}), c.centers_optimizer) &&
         checkpoint.config() == c.config && checkpoint.train_state() == c.train_state;
}

inline std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

inline bool has_leftovers(const fs::path& root) {
  const auto names = names_in(root);
  return std::any_of(names.begin(), names.end(),
                     [](const auto& name) { return name.find(".tmp-") != std::string::npos; });
}

// Runs the body on `ranks` threads that sum through memory.
inline void run_as_ranks(int64_t ranks, const std::function<void(const RankGroup&)>& body) {
  std::vector<std::atomic<int64_t>> slots(ranks);
  std::barrier barrier(ranks);
  std::vector<std::exception_ptr> errors(ranks);
  std::vector<std::thread> threads;
  for (int64_t rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&, rank] {
      const auto sum = [&, rank](int64_t value) {
        slots[rank] = value;
        barrier.arrive_and_wait();
        int64_t total = 0;
        for (const auto& slot : slots) total += slot;
        barrier.arrive_and_wait();
        return total;
      };
      try {
        body({rank, ranks, sum});
      } catch (...) {
        errors[rank] = std::current_exception();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& error : errors) {
    if (error) std::rethrow_exception(error);
  }
}

inline void write_as_ranks(
    const fs::path& root, int64_t step, int64_t num_classes, int64_t ranks,
    const std::function<void(int64_t)>& before = [](int64_t) {}) {
  run_as_ranks(ranks, [&](const RankGroup& group) {
    before(group.rank);
    write_checkpoint(root, make_contents(step, num_classes, group.rank, ranks), group);
  });
}

// Collects warnings while it lives.
class Warnings {
 public:
  Warnings()
      : previous_(set_log_sink([this](LogLevel level, std::string_view text) {
          if (level == LogLevel::kWarning) lines.emplace_back(text);
        })) {}
  ~Warnings() { set_log_sink(previous_); }
  std::vector<std::string> lines;

 private:
  LogSink previous_;
};

inline std::atomic<int> failpoints_left{0};

struct FailpointGuard {
  explicit FailpointGuard(int count, FailpointHandler handler) {
    failpoints_left = count;
    set_failpoint_handler(handler);
  }
  ~FailpointGuard() { set_failpoint_handler(nullptr); }
};

inline void fail_when_due(std::string_view name) {
  if (failpoints_left-- == 0) fail(ErrorKind::kIo, "injected at ", name);
}

inline void die_when_due(std::string_view) {
  if (failpoints_left-- == 0) ::_exit(99);
}

// The exit code of the action in a child process: 0, or the error's.
template <class Action>
int exit_code_of(Action&& action) {
  const pid_t child = ::fork();
  if (child == 0) {
    const auto error = error_of(action);
    ::_exit(error ? error->exit_code() : 0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace checkpoint_test
