#include "uir/base/progress.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include "uir/base/log.h"
#include "uir/base/progress_sink.h"

namespace uir {
namespace {

constexpr double kQuiet_s = 2.0;
constexpr std::chrono::milliseconds kInterval{500};

double seconds_left(int64_t done, int64_t total, double elapsed_s) {
  const bool known = total > 0 && done > 0;
  return known
             ? elapsed_s / static_cast<double>(done) * static_cast<double>(std::max<int64_t>(total - done, 0))
             : -1;
}

}  // namespace

Progress::Progress(std::string what, std::string unit, int64_t total)
    : what_(std::move(what)), unit_(std::move(unit)), total_(total) {}

Progress::~Progress() {
  if (has_progress_sink())
    report_progress({what_, done_, total_, unit_, seconds_left(done_, total_, elapsed_s())});
  else if (shown_)
    log_message(LogLevel::kInfo, line());
}

void Progress::add(int64_t done) {
  done_ += done;
  std::unique_lock lock(show_mutex_, std::try_to_lock);
  if (!lock) return;  // somebody else is showing
  // A program that watches is told at once that a phase has begun.
  const bool begins = has_progress_sink() && !shown_;
  if (!begins && Clock::now() - last_shown_ < kInterval) return;
  if (!has_progress_sink() && elapsed_s() < kQuiet_s) return;
  last_shown_ = Clock::now();
  shown_ = true;
  const double left = seconds_left(done_, total_, elapsed_s());
  has_progress_sink() ? report_progress({what_, done_, total_, unit_, left})
                      : log_message(LogLevel::kStatus, line());
}

double Progress::elapsed_s() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

std::string Progress::line() const {
  const int64_t done = done_;
  const double rate = static_cast<double>(done) / std::max(elapsed_s(), 1e-9);
  std::string text = concat(what_, ": ", done);
  if (total_ > 0) text += concat("/", total_);
  text += concat(" ", unit_, ", ", std::llround(rate), "/s");
  if (total_ > done && done > 0)
    text += concat(", ", format_duration(seconds_left(done, total_, elapsed_s())), " left");
  return text;
}

std::string format_duration(double seconds) {
  const auto total = static_cast<long long>(std::llround(std::max(seconds, 0.0)));
  char text[32];
  if (total >= 3600) {
    std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", total / 3600, total / 60 % 60, total % 60);
  } else {
    std::snprintf(text, sizeof text, "%lld:%02lld", total / 60, total % 60);
  }
  return text;
}

}  // namespace uir
