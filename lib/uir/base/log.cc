#include "uir/base/log.h"

#include <mutex>
#include <utility>

namespace uir {
namespace {

struct SinkHolder {
  std::mutex mutex;
  LogSink sink;
};

SinkHolder& holder() {
  static SinkHolder instance;
  return instance;
}

}  // namespace

LogSink set_log_sink(LogSink sink) {
  std::lock_guard lock(holder().mutex);
  return std::exchange(holder().sink, std::move(sink));
}

void log_message(LogLevel level, std::string_view message) {
  std::lock_guard lock(holder().mutex);
  if (holder().sink) holder().sink(level, message);
}

}  // namespace uir
