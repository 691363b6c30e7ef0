// Where the library's messages go. The library never prints: it hands lines to a sink that the application
// sets (standard error by default in apps/). Thread-safe.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "uir/base/error.h"

namespace uir {

// kStatus: a progress line that a later one may overwrite.
enum class LogLevel { kInfo, kWarning, kError, kStatus };

using LogSink = std::function<void(LogLevel, std::string_view)>;

// Replaces the sink (none at start: messages are dropped) and returns the previous one.
LogSink set_log_sink(LogSink sink);
void log_message(LogLevel level, std::string_view message);

template <class... Parts>
void log_info(const Parts&... parts) {
  log_message(LogLevel::kInfo, concat(parts...));
}
template <class... Parts>
void log_warning(const Parts&... parts) {
  log_message(LogLevel::kWarning, concat(parts...));
}

template <class... Parts>
void log_error(const Parts&... parts) {
  log_message(LogLevel::kError, concat(parts...));
}

}  // namespace uir
