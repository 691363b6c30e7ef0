// One training per run folder: who trains holds a lock on <run>/train.lock, which the kernel releases when
// the process ends, however it ends. The file stays and says who held it last; whether it is held is asked
// of the kernel, never of the file.
//
// Held between machines as far as the file system carries flock() between them (NFS does, with its lock
// service). Where it carries no locks at all, that is warned about, and nobody is kept out.
// Errors: kUsage, naming the holder, where another process trains in the folder; kCannotCreate. Threads: any.
#pragma once

#include "uir/base/file.h"

namespace uir {

class RunLock {
 public:
  // Creates the folder where it is not there yet; nothing else in it is touched.
  explicit RunLock(const fs::path& run_folder);
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

 private:
  int file_ = -1;
};

}  // namespace uir
