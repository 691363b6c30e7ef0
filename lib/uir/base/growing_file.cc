#include "uir/base/growing_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "uir/base/error.h"

namespace uir {

GrowingFile::GrowingFile(const fs::path& path, uint64_t keep) : path_(path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (fd < 0) fail(ErrorKind::kCannotCreate, path.string(), ": cannot create: ", std::strerror(errno));
  file_ = ::fdopen(fd, "r+b");
  if (::ftruncate(fd, static_cast<off_t>(keep)) != 0 || std::fseek(file_, 0, SEEK_END) != 0)
    io_error("cannot resize");
  checksum_.add(MappedFile(path).bytes());
  size_ = keep;
}

GrowingFile::~GrowingFile() {
  if (file_) std::fclose(file_);
}

void GrowingFile::write(Bytes bytes) {
  failpoint("growing_file.write");
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size()) io_error("cannot write");
  size_ += bytes.size();
  checksum_.add(bytes);
}

void GrowingFile::sync() {
  failpoint("growing_file.sync");
  if (std::fflush(file_) != 0 || ::fsync(::fileno(file_)) != 0) io_error("cannot write");
}

void GrowingFile::io_error(std::string_view what) const {
  fail(ErrorKind::kIo, path_.string(), ": ", what, ": ", std::strerror(errno));
}

FolderLock::FolderLock(const fs::path& folder)
    : fd_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (fd_ >= 0 && ::flock(fd_, LOCK_EX | LOCK_NB) == 0) return;
  const std::string why = std::strerror(errno);
  if (fd_ >= 0) ::close(fd_);
  fail(ErrorKind::kCannotCreate, folder.string(), ": cannot lock: ", why, "; is another process writing it?");
}

FolderLock::~FolderLock() { ::close(fd_); }

}  // namespace uir
