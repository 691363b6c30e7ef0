#include "uir/data/image_folder.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "uir/base/error.h"

namespace uir {
namespace {

int64_t mtime_of(const struct stat& status) {
  return status.st_mtim.tv_sec * int64_t{1'000'000'000} + status.st_mtim.tv_nsec;
}

}  // namespace

OpenImage::OpenImage(int fd, std::string name) : fd_(fd), name_(std::move(name)) {
  struct stat status {};
  const bool regular = ::fstat(fd_, &status) == 0 && S_ISREG(status.st_mode);
  if (!regular) {
    ::close(fd_);
    fail(ErrorKind::kMissingInput, name_, ": not a regular file");
  }
  size_ = static_cast<uint64_t>(status.st_size);
  mtime_ = mtime_of(status);
}

OpenImage::~OpenImage() { ::close(fd_); }

void OpenImage::read(std::vector<std::byte>& bytes) const {
  bytes.resize(size_);
  for (size_t at = 0; at < bytes.size();) {
    const ssize_t n = ::read(fd_, bytes.data() + at, bytes.size() - at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(ErrorKind::kIo, name_, ": cannot read: ", std::strerror(errno));
    if (n == 0) fail(ErrorKind::kIo, name_, ": became shorter while it was read");
    at += static_cast<size_t>(n);
  }
}

ImageFolder::ImageFolder(const fs::path& root)
    : root_(root), fd_(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {
  if (fd_ < 0) fail(ErrorKind::kMissingInput, root.string(), ": cannot open folder: ", std::strerror(errno));
}

ImageFolder::~ImageFolder() { ::close(fd_); }

OpenImage ImageFolder::open(const std::string& item) const {
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;  // a named pipe must not block
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  auto fd = static_cast<int>(::syscall(SYS_openat2, fd_, item.c_str(), &how, sizeof how));
  if (fd < 0) fd = ::open(resolve_inside(root_, item).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  const std::string name = (root_ / item).string();
  if (fd < 0) fail(ErrorKind::kMissingInput, name, ": cannot open: ", std::strerror(errno));
  return {fd, name};
}

int64_t file_mtime(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    fail(ErrorKind::kMissingInput, path.string(), ": cannot open: ", std::strerror(errno));
  }
  return mtime_of(status);
}

}  // namespace uir
