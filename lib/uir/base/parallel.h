// Threads of one process: how many, and a parallel loop over blocks.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace uir {

// How many processes of a run share this machine's processors: set once at the start of a program.
inline std::atomic<int> processes_of_run{1};
inline void share_processors(int64_t processes) { processes_of_run = static_cast<int>(processes); }

// The threads to use where a config says 0: this process's share of the processors, at least one.
inline int resolve_threads(int threads) {
  if (threads > 0) return threads;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()) / processes_of_run);
}

// Calls body(begin, end) for consecutive blocks of [0, n), on `threads` threads, in no defined order. The
// first exception stops the rest and is rethrown here.
template <class Body>
void parallel_blocks(int64_t n, int64_t block, int threads, Body&& body) {
  std::atomic<int64_t> next{0};
  std::mutex mutex;
  std::exception_ptr error;
  auto work = [&] {
    try {
      for (int64_t begin; (begin = next.fetch_add(block)) < n;) body(begin, std::min(n, begin + block));
    } catch (...) {
      next = n;
      std::lock_guard lock(mutex);
      if (!error) error = std::current_exception();
    }
  };
  std::vector<std::thread> workers;
  const int64_t blocks = (n + block - 1) / block;
  for (int64_t i = 1; i < std::min<int64_t>(resolve_threads(threads), blocks); ++i)
    workers.emplace_back(work);
  work();
  for (std::thread& worker : workers) worker.join();
  if (error) std::rethrow_exception(error);
}

}  // namespace uir
