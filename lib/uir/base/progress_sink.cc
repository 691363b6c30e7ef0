#include "uir/base/progress_sink.h"

#include <mutex>
#include <utility>

namespace uir {
namespace {

struct SinkHolder {
  std::mutex mutex;
  ProgressSink sink;
};

SinkHolder& holder() {
  static SinkHolder instance;
  return instance;
}

}  // namespace

ProgressSink set_progress_sink(ProgressSink sink) {
  std::lock_guard lock(holder().mutex);
  return std::exchange(holder().sink, std::move(sink));
}

bool has_progress_sink() {
  std::lock_guard lock(holder().mutex);
  return static_cast<bool>(holder().sink);
}

void report_progress(const ProgressReport& report) {
  std::lock_guard lock(holder().mutex);
  if (holder().sink) holder().sink(report);
}

}  // namespace uir
