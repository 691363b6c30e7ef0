// Writes checkpoints in a thread of its own, while training goes on: the step waits only for a copy of the
// tensors.
//
// One checkpoint is written at a time; the next one waits for it. After each, the first rank removes what is
// too old (prune_checkpoints), says where it was saved, and warns, once, if that took longer than a launcher
// lets its ranks live after it told them to stop.
// Memory: the copy, in CPU memory also for tensors of a device, until it is written.
// Collectives: those of write_checkpoint, called in the writer's thread: the ranks need a communicator of
// their own for it.
// Errors: those of write_checkpoint, thrown by the next call of start() or wait(). Threads: calls come from
// one thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <thread>

#include "uir/checkpoint/checkpoint.h"

namespace uir {

// The same contents in tensors of their own, contiguous in CPU memory.
CheckpointContents snapshot(CheckpointContents contents);

class BackgroundWriter {
 public:
  // stop_grace_s: how long the launcher waits; 0: for ever.
  BackgroundWriter(fs::path root, int64_t keep_last, RankGroup ranks, double stop_grace_s = 0);
  // Waits. A failure that was not asked for is logged.
  ~BackgroundWriter();

  // Begins to write what nobody changes meanwhile; waits for the checkpoint before it. Every rank calls it.
  void start(CheckpointContents contents);
  // Returns when the last checkpoint is published; throws if it could not be.
  void wait();
  // Whether wait() would throw; false while it is not known yet.
  bool failed() const { return failed_; }

 private:
  void write(const CheckpointContents& contents);
  void warn_if_too_slow(double seconds);

  const fs::path root_;
  const int64_t keep_last_;
  const RankGroup ranks_;
  const double stop_grace_s_;
  bool warned_ = false;  // the thread's
  std::thread thread_;
  std::exception_ptr error_;  // the thread's; read after joining it
  std::atomic<bool> failed_ = false;
};

}  // namespace uir
