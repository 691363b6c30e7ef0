#include "uir/pipeline/available_index.h"

#include <atomic>
#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <thread>

#include "uir/base/error.h"
#include "uir/base/log.h"
#include "uir/pipeline/run_index.h"
#include "uir/pipeline/stop_request.h"

namespace uir {
namespace {

// What the sum of all ranks says: rank 0 adds kOver at last, any of them one while it is asked to stop.
constexpr int64_t kOver = int64_t{1} << 32;
constexpr std::chrono::milliseconds kBetweenWords{200};

// While rank 0 works, a thread of it lets the others take part in a sum now and then, so that none waits for
// longer than a time-out, and a lost one is noticed.
class OthersWait {
 public:
  explicit OthersWait(const Communicator& ranks) : ranks_(ranks) {
    if (ranks.size() > 1) thread_ = std::jthread([this](const std::stop_token& over) { talk(over); });
  }

  bool must_stop() const { return stop_ || stop_requested(); }

  // Rethrows the loss of a rank.
  void end() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    thread_.join();
    if (loss_) std::rethrow_exception(loss_);
    ranks_.sum(kOver);
  }

 private:
  void talk(const std::stop_token& over) {
    try {
      while (!over.stop_requested()) {
        if (ranks_.sum(0) > 0) stop_ = true;
        std::this_thread::sleep_for(kBetweenWords);
      }
    } catch (...) {
      loss_ = std::current_exception();
      stop_ = true;
    }
  }

  const Communicator& ranks_;
  std::atomic<bool> stop_ = false;
  std::exception_ptr loss_;
  std::jthread thread_;  // ends before what it uses
};

void wait_for_first(const Communicator& ranks) {
  while (ranks.sum(stop_requested() ? 1 : 0) < kOver) {
  }
}

// Rank 0's error, on every rank. It travels as "66 message".
void throw_alike(const Communicator& ranks, const std::optional<Error>& error) {
  const std::string mine = error ? concat(error->exit_code(), ' ', error->what()) : "";
  const std::string first = all_gather_bytes(ranks, mine).front();
  if (error) throw *error;
  if (first.empty()) return;
  const size_t space = first.find(' ');
  throw Error(static_cast<ErrorKind>(std::stoi(first.substr(0, space))), first.substr(space + 1));
}

std::optional<Error> build(const Experiment& experiment, const Communicator& ranks) {
  OthersWait others(ranks);
  std::optional<Error> error;
  try {
    run_index(experiment,
              {.verify = false, .pack_folder = {}, .bin = {}, .stop = [&] { return others.must_stop(); }});
  } catch (const Error& failed) {
    error = failed;
  }
  others.end();
  return error;
}

void build_first(const Experiment& experiment, const Communicator& ranks) {
  log_info(experiment.index_folder().string(), ": no index yet: indexing first",
           ranks.size() > 1 ? concat("; the other ranks (", ranks.size() - 1, ") wait for rank 0") : "");
  std::optional<Error> error;
  if (ranks.rank() == 0) {
    error = build(experiment, ranks);
  } else {
    wait_for_first(ranks);
  }
  throw_alike(ranks, error);
}

}  // namespace

AvailableIndex available_index(const Experiment& experiment, const Communicator& ranks) {
  const fs::path folder = experiment.index_folder();
  const bool first = ranks.rank() == 0;
  const bool missing = ranks.sum(first && !fs::exists(folder) ? 1 : 0) > 0;
  if (missing) build_first(experiment, ranks);
  return {Index::open(folder, Index::Check::kFull), missing};
}

}  // namespace uir
