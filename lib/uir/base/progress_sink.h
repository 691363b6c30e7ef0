// Progress as numbers, for programs that watch this one: where a sink is set (--json sets one in apps/),
// whatever shows progress hands it here, in place of a status line in words. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace uir {

struct ProgressReport {
  std::string_view phase;  // "indexing lfw"
  int64_t done = 0;
  int64_t total = 0;      // 0: unknown
  std::string_view unit;  // "images"
  double eta_s = -1;      // negative: unknown
};

using ProgressSink = std::function<void(const ProgressReport&)>;

// Replaces the sink (none at start) and returns the previous one.
ProgressSink set_progress_sink(ProgressSink sink);
bool has_progress_sink();
// Nothing happens without a sink.
void report_progress(const ProgressReport& report);

}  // namespace uir
