// What a resumable writer needs: files that grow over several runs, and a lock on the folder they lie in.
// Errors: kCannotCreate, kIo, naming the path. Threads: an object belongs to one thread at a time.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string_view>

#include "uir/base/file.h"

namespace uir {

// A file that grows, whose first bytes may come from an interrupted run. Checks every write.
class GrowingFile {
 public:
  // Keeps the first `keep` bytes of what is there.
  GrowingFile(const fs::path& path, uint64_t keep);
  ~GrowingFile();
  GrowingFile(const GrowingFile&) = delete;
  GrowingFile& operator=(const GrowingFile&) = delete;

  void write(Bytes bytes);
  void sync();  // what was written so far survives a crash
  uint64_t size() const { return size_; }
  uint64_t checksum() const { return checksum_.value(); }  // of the whole file

 private:
  [[noreturn]] void io_error(std::string_view what) const;

  fs::path path_;
  std::FILE* file_ = nullptr;
  uint64_t size_ = 0;
  Checksum checksum_;
};

// Two writers on one folder would destroy each other's work. The lock ends with the process.
class FolderLock {
 public:
  explicit FolderLock(const fs::path& folder);  // kCannotCreate if another process has it
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int fd_;
};

}  // namespace uir
