// The run's log: JSON lines (JSONL), one per step, whole lines only. Free of LibTorch.
//
// Each line is appended by a single write; a write that fails half-way is taken back. kill -9 during that
// write can still tear the line where it crosses a page (Linux stops there), and so can a crash of the
// machine. Opening the log mends both; who reads a log that was not reopened must skip a last line without
// its end.
// Errors: kCannotCreate, kIo. Threads: one at a time.
#pragma once

#include <cstdint>
#include <string>

#include "uir/base/file.h"
#include "uir/base/json.h"

namespace uir {

class RunLog {
 public:
  // Opens or creates the log to go on at first_step: lines whose "step" is first_step or later, torn lines
  // and lines that are not JSON objects with a "step" are dropped (the latter two with a warning),
  // atomically.
  RunLog(const fs::path& path, int64_t first_step);
  ~RunLog();
  RunLog(const RunLog&) = delete;
  RunLog& operator=(const RunLog&) = delete;

  void write(const Json& line);                               // must have an integer "step"
  int64_t count(int64_t step, const std::string& key) const;  // lines of the step that have the key
  void sync();  // what was written survives a crash of the machine; for checkpoints

 private:
  fs::path path_;
  int fd_ = -1;
};

}  // namespace uir
