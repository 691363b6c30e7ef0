// Threads of one process: a bounded queue that carries exceptions, and a parallel loop over blocks.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace uir {

// At most `capacity` items between producers and consumers. close() ends the consumers after the last item,
// fail() hands a worker's exception to whoever pops next. All functions are thread-safe.
template <class T>
class BoundedQueue {
 public:
  explicit BoundedQueue(size_t capacity) : capacity_(capacity) {}

  // Waits for room; false if the queue was closed or failed, and the item was dropped.
  bool push(T item) {
    std::unique_lock lock(mutex_);
    not_full_.wait(lock, [&] { return closed_ || items_.size() < capacity_; });
    if (closed_) return false;
    items_.push_back(std::move(item));
    not_empty_.notify_one();
    return true;
  }

  // Waits for an item; none once the queue is closed and empty. Throws the exception given to fail().
  std::optional<T> pop() {
    std::unique_lock lock(mutex_);
    not_empty_.wait(lock, [&] { return closed_ || !items_.empty(); });
    if (error_) std::rethrow_exception(error_);
    if (items_.empty()) return std::nullopt;
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    not_full_.notify_one();
    return item;
  }

  void close() { end(nullptr); }
  void fail(std::exception_ptr error) { end(error); }

 private:
  void end(std::exception_ptr error) {
    std::lock_guard lock(mutex_);
    closed_ = true;
    if (!error_) error_ = error;
    not_full_.notify_all();
    not_empty_.notify_all();
  }

  const size_t capacity_;
  std::mutex mutex_;
  std::condition_variable not_full_, not_empty_;
  std::deque<T> items_;
  std::exception_ptr error_;
  bool closed_ = false;
};

// How many processes of a run share this machine's processors: set once at the start of a program.
inline std::atomic<int> processes_of_run{1};
inline void share_processors(int64_t processes) { processes_of_run = static_cast<int>(processes); }

// The threads to use where a config says 0: this process's share of the processors, at least one.
inline int resolve_threads(int threads) {
  if (threads > 0) return threads;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()) / processes_of_run);
}

// Calls body(begin, end) for consecutive blocks of [0, n), on `threads` threads, in no defined order. The first
// exception stops the rest and is rethrown here.
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
