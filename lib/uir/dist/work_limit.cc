#include "uir/dist/work_limit.h"

#include <algorithm>
#include <exception>
#include <utility>

namespace uir {

WorkLimit::WorkLimit(std::chrono::milliseconds limit, std::function<void()> late)
    : thread_([this, limit, late = std::move(late)] { watch(limit, late); }) {}

WorkLimit::~WorkLimit() {
  {
    std::lock_guard lock(mutex_);
    over_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void WorkLimit::queued(std::function<bool()> ended) {
  std::lock_guard lock(mutex_);
  ended_ = std::move(ended);
  since_ = std::chrono::steady_clock::now();
}

bool WorkLimit::still_runs() const {
  try {
    return ended_ && !ended_();
  } catch (const std::exception&) {
    return false;
  }
}

void WorkLimit::watch(std::chrono::milliseconds limit, const std::function<void()>& late) {
  const auto pause = std::min<std::chrono::milliseconds>(limit / 10, std::chrono::seconds(1));
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, pause, [&] { return over_; })) {
    if (!still_runs()) {
      ended_ = nullptr;
    } else if (std::chrono::steady_clock::now() - since_ >= limit) {
      lock.unlock();  // it may take long
      late();
      return;
    }
  }
}

}  // namespace uir
