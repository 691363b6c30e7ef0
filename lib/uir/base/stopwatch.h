// Measures how long something takes, pauses left out. Wall-clock time of a steady clock. Threads: one at a
// time.
#pragma once

#include <chrono>

namespace uir {

class Stopwatch {
 public:
  // Seconds since its construction, without the pauses that have ended.
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

  // What happens during its life does not count. One at a time.
  class Pause {
   public:
    explicit Pause(Stopwatch& watch) : watch_(watch) {}
    ~Pause() { watch_.start_ += Clock::now() - begin_; }
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;

   private:
    Stopwatch& watch_;
    const std::chrono::steady_clock::time_point begin_ = Clock::now();
  };

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
};

}  // namespace uir
