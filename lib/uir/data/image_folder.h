// Reads files below a folder and never outside it, whatever their names and links say.
//
// The kernel itself keeps the path inside (openat2 with RESOLVE_BENEATH: one system call instead of a resolution
// of every link); where it cannot or refuses, resolve_inside decides, and gives the message.
// Errors: kMissingInput, kData for names and links that lead out, kIo. Threads: const functions are thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "uir/base/file.h"

namespace uir {

// An open file with its size and time stamp.
class OpenImage {
 public:
  OpenImage(int fd, std::string name);
  ~OpenImage();
  OpenImage(const OpenImage&) = delete;
  OpenImage& operator=(const OpenImage&) = delete;

  uint64_t size() const { return size_; }
  int64_t mtime() const { return mtime_; }         // ns since 1970
  void read(std::vector<std::byte>& bytes) const;  // all of it

 private:
  int fd_;
  std::string name_;
  uint64_t size_ = 0;
  int64_t mtime_ = 0;
};

class ImageFolder {
 public:
  explicit ImageFolder(const fs::path& root);
  ~ImageFolder();
  ImageFolder(const ImageFolder&) = delete;
  ImageFolder& operator=(const ImageFolder&) = delete;

  OpenImage open(const std::string& item) const;
  const fs::path& root() const { return root_; }

 private:
  fs::path root_;
  int fd_;
};

// Time stamp of a file [ns since 1970].
int64_t file_mtime(const fs::path& path);

}  // namespace uir
