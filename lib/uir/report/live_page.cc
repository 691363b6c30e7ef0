#include "uir/report/live_page.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "uir/base/error.h"
#include "uir/base/log.h"

namespace uir {
namespace {

using Seconds = std::chrono::duration<double>;
using Clock = std::chrono::steady_clock;

constexpr int kRefresh = 30;              // seconds
constexpr double kShareOfProcessor = 50;  // one of so many seconds

// False when the thread is to stop.
bool wait(const std::stop_token& stop, Seconds time) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any never;
  never.wait_for(lock, stop, time, [] { return false; });
  return !stop.stop_requested();
}

}  // namespace

LivePage::LivePage(std::function<void(int)> write, double first_s)
    : thread_([this, write = std::move(write), first_s](const std::stop_token& stop) {
        Seconds pause(first_s);
        while (wait(stop, pause)) {
          const auto start = Clock::now();
          try {
            write(kRefresh);
          } catch (const std::exception& error) {
            log_warning("no page of the training: ", error.what());
            return;
          }
          written_ = true;
          pause = std::max(Seconds(kRefresh), kShareOfProcessor * Seconds(Clock::now() - start));
        }
      }) {}

bool LivePage::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  return written_;
}

}  // namespace uir
