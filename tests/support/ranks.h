// Several ranks as threads of one process, connected over loopback.
#pragma once

#include <torch/csrc/distributed/c10d/HashStore.hpp>

#include <chrono>
#include <csignal>
#include <exception>
#include <functional>
#include <latch>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "uir/dist/process_group.h"

// As the programs do: whoever writes to a rank that has hung up gets an error, not a signal.
inline const auto ignored_write_signal = ::signal(SIGPIPE, SIG_IGN);

// Calls body(communicator) once per rank, each in its own thread; rethrows the exception of the first rank
// that failed.
inline void run_ranks(int64_t size, const std::function<void(std::shared_ptr<const uir::Communicator>)>& body,
                      std::chrono::milliseconds timeout = std::chrono::seconds(20)) {
  auto store = c10::make_intrusive<c10d::HashStore>();
  std::exception_ptr error;
  std::mutex mutex;
  const auto guarded = [&](const std::function<void()>& part) {
    try {
      part();
    } catch (...) {
      std::lock_guard lock(mutex);
      if (!error) error = std::current_exception();
    }
  };
  // No body starts, and so none can end and hang up, before every rank has met the others.
  std::latch met(size);
  std::vector<std::thread> threads;
  for (int64_t rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      std::shared_ptr<const uir::Communicator> communicator;
      guarded([&] {
        communicator =
            std::make_shared<uir::ProcessGroupCommunicator>(store, rank, size, timeout, "127.0.0.1");
      });
      met.arrive_and_wait();
      if (communicator) guarded([&] { body(std::move(communicator)); });
    });
  }
  for (std::thread& thread : threads) thread.join();
  if (error) std::rethrow_exception(error);
}
