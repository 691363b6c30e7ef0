// Scalars over steps in a file that TensorBoard reads. Free of LibTorch.
//
// One file per start of a run, <folder>/events.out.tfevents.<time>.uir.<process>. What the run's earlier
// files say of first_step and later steps is no longer true: they are cut there when the new file is opened,
// each by a single system call; one that says nothing else is removed. Files of other programs are left as
// they are; for these the new file begins with a mark that first_step is a restart, which not every reader
// heeds (the default one of TensorBoard 2.21 does not).
// Every call of write() is a single system call, so that a crash can tear the last record at most; readers
// stop there.
// Format: records {u64 length, masked CRC-32C of it, message, masked CRC-32C of it}, messages
// tensorflow.Event (TensorFlow: core/lib/io/record_writer.h, core/util/event.proto,
// core/framework/summary.proto).
// Errors: kCannotCreate, kIo. Threads: one at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "uir/base/file.h"

namespace uir {

using Scalars = std::vector<std::pair<std::string, double>>;  // tag ("loss/total") and value

class EventFile {
 public:
  EventFile(const fs::path& folder, int64_t first_step);
  ~EventFile();
  EventFile(const EventFile&) = delete;
  EventFile& operator=(const EventFile&) = delete;

  void write(int64_t step, const Scalars& scalars);

 private:
  void append(const std::string& records);

  fs::path path_;
  int fd_ = -1;
};

// CRC-32C (Castagnoli): reflected, polynomial 0x1EDC6F41 (RFC 3720, appendix B.4). Own code: twelve lines,
// where the library would be one more dependency.
uint32_t crc32c(std::string_view bytes);

}  // namespace uir
