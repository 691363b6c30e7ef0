#include "uir/images/image_folder.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "uir/base/error.h"

namespace uir {
namespace {

int64_t mtime_of(const struct stat& status) {
  return status.st_mtim.tv_sec * int64_t{1'000'000'000} + status.st_mtim.tv_nsec;
}

}  // namespace

FileDescriptor::~FileDescriptor() {
  if (fd_ >= 0) ::close(fd_);
}

ImageFile::Facts ImageFile::facts() const {
  struct stat status {};
  if (::fstat(fd_.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    fail(ErrorKind::kMissingInput, "not a regular file");
  }
  return {static_cast<uint64_t>(status.st_size), mtime_of(status)};
}

std::optional<size_t> ImageFile::read(std::span<std::byte> bytes, size_t enough) const {
  size_t done = 0;
  while (done < enough) {
    const ssize_t n = ::read(fd_.get(), bytes.data() + done, bytes.size() - done);
    if (n == 0) break;
    if (n > 0) {
      done += static_cast<size_t>(n);
    } else if (errno == EISDIR || errno == EAGAIN) {
      return std::nullopt;
    } else if (errno != EINTR) {
      fail(ErrorKind::kIo, "cannot read: ", std::strerror(errno));
    }
  }
  return done;
}

ImageFolder::ImageFolder(const fs::path& root)
    : root_(root), fd_(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {
  if (fd_.get() < 0) {
    fail(ErrorKind::kMissingInput, root.string(), ": cannot open the folder: ", std::strerror(errno));
  }
}

ImageFile ImageFolder::open(const std::string& item) const {
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;  // a named pipe must not block
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  auto fd = static_cast<int>(::syscall(SYS_openat2, fd_.get(), item.c_str(), &how, sizeof how));
  if (fd < 0) fd = ::open(resolve_inside(root_, item).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    const int why = errno;
    fail(ErrorKind::kMissingInput, (root_ / item).string(), ": cannot open: ", std::strerror(why));
  }
  return ImageFile(FileDescriptor(fd));
}

int64_t file_mtime(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    fail(ErrorKind::kMissingInput, path.string(), ": cannot open: ", std::strerror(errno));
  }
  return mtime_of(status);
}

}  // namespace uir
