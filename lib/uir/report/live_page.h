// training.html while training goes on: written anew now and then by a thread of its own, so that no step
// waits for it.
//
// First after some seconds, then every half minute, and more seldom where the log is so long that it would
// take more than one fiftieth of a processor. Its errors are one warning. Threads: one owner.
#pragma once

#include <atomic>
#include <functional>
#include <thread>

namespace uir {

class LivePage {
 public:
  // write(refresh_s) writes the page, which loads itself anew after so many seconds.
  explicit LivePage(std::function<void(int refresh_s)> write, double first_s = 5);
  ~LivePage() = default;  // waits for a page that is being written

  // No page is written any more; whether one was.
  bool stop();

 private:
  std::atomic<bool> written_{false};
  std::jthread thread_;
};

}  // namespace uir
