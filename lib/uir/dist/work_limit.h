// Notices when a collective that a device runs does not end: one of the ranks hangs, without having lost its
// connections (rank_watch.h sees those), and who waits for the device would wait without end.
//
// Only the latest work is looked at: a device runs them in order, so it ends last.
// Cost: a thread that sleeps, and asks ten times in the limit, at most every second. Errors: none; the
// callback runs in the thread. Collectives: none.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace uir {

class WorkLimit {
 public:
  // late: called at most once, when work has not ended within the limit.
  WorkLimit(std::chrono::milliseconds limit, std::function<void()> late);
  ~WorkLimit();
  WorkLimit(const WorkLimit&) = delete;
  WorkLimit& operator=(const WorkLimit&) = delete;

  // ended: whether it has; called in the thread. One that throws counts as ended: the error shows where the
  // work is waited for.
  void queued(std::function<bool()> ended);

 private:
  void watch(std::chrono::milliseconds limit, const std::function<void()>& late);
  bool still_runs() const;

  std::mutex mutex_;  // of all below
  std::condition_variable wake_;
  std::function<bool()> ended_;  // null: nothing runs
  std::chrono::steady_clock::time_point since_;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace uir
