// Several ranks as threads of one process, connected over loopback.
#pragma once

#include <torch/csrc/distributed/c10d/HashStore.hpp>

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "uir/dist/process_group.h"

// Calls body(communicator) once per rank, each in its own thread; rethrows the exception of the first rank that failed.
inline void run_ranks(int64_t size, const std::function<void(std::shared_ptr<const uir::Communicator>)>& body,
                      std::chrono::milliseconds timeout = std::chrono::seconds(20)) {
  auto store = c10::make_intrusive<c10d::HashStore>();
  std::exception_ptr error;
  std::mutex mutex;
  std::vector<std::thread> threads;
  for (int64_t rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      try {
        body(std::make_shared<uir::ProcessGroupCommunicator>(store, rank, size, timeout, "127.0.0.1"));
      } catch (...) {
        std::lock_guard lock(mutex);
        if (!error) error = std::current_exception();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  if (error) std::rethrow_exception(error);
}
