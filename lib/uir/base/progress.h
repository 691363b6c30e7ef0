// Progress of anything over two seconds: rate, done/total, time left. Silent for the first two seconds, then
// one status line through log.h at most every half second (the application overwrites it on a terminal and
// prints a plain line every ten seconds elsewhere). Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

namespace uir {

class Progress {
 public:
  // what: "indexing lfw"; unit: "images"; total 0 = unknown.
  Progress(std::string what, std::string unit, int64_t total);
  ~Progress();  // closes the line if one was shown
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void add(int64_t done);
  // "indexing lfw: 1200/4195 images, 850/s, 0:03 left"
  std::string line() const;

 private:
  using Clock = std::chrono::steady_clock;
  double elapsed_s() const;

  const std::string what_;
  const std::string unit_;
  const int64_t total_;
  const Clock::time_point start_ = Clock::now();
  std::atomic<int64_t> done_{0};
  std::mutex show_mutex_;
  Clock::time_point last_shown_ = start_;
  bool shown_ = false;
};

// "0:07", "1:23:45".
std::string format_duration(double seconds);

}  // namespace uir
