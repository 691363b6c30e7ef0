// Reads files below a folder and never outside it, whatever their names and links say.
//
// The kernel itself keeps the path inside (openat2 with RESOLVE_BENEATH: one system call instead of a
// resolution of every link); where it cannot or refuses, resolve_inside decides, and gives the message.
// Cost: an image of known size takes three system calls (open, read, close); facts() is one more.
// Errors: kMissingInput, kData for names and links that lead out, kIo. Threads: const functions are
// thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "uir/base/file.h"

namespace uir {

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor();
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

// An open file below a folder, whatever it is: what turns out not to be a regular file is refused when it is
// used. Its errors do not name it; those of ImageFolder::open do.
class ImageFile {
 public:
  explicit ImageFile(FileDescriptor fd) : fd_(std::move(fd)) {}

  struct Facts {
    uint64_t size = 0;
    int64_t mtime = 0;  // ns since 1970
  };
  // kMissingInput if it is not a regular file.
  Facts facts() const;
  // Reads until there are at least `enough` bytes, or the file ends, and returns how many. Where `bytes` has
  // room for more, a file that is longer than expected shows without another call. None if it cannot be read
  // like a file.
  std::optional<size_t> read(std::span<std::byte> bytes, size_t enough) const;

 private:
  FileDescriptor fd_;
};

class ImageFolder {
 public:
  explicit ImageFolder(const fs::path& root);

  // item: a relative path. Symbolic links are followed as long as they stay below the root.
  ImageFile open(const std::string& item) const;
  const fs::path& root() const { return root_; }

 private:
  fs::path root_;
  FileDescriptor fd_;
};

// Time stamp of a file [ns since 1970].
int64_t file_mtime(const fs::path& path);

}  // namespace uir
