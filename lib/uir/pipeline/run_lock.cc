#include "uir/pipeline/run_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>
#include <thread>

#include "uir/base/error.h"
#include "uir/base/log.h"

namespace uir {
namespace {

// Who holds the lock, as it wrote itself down.
std::string holder_of(int file) {
  std::array<char, 256> text{};
  const ssize_t size = ::pread(file, text.data(), text.size(), 0);
  std::string holder(text.data(), static_cast<size_t>(std::max<ssize_t>(size, 0)));
  holder = holder.substr(0, holder.find('\n'));
  for (char& c : holder) c = c >= ' ' && c < '\x7f' ? c : '?';
  return holder.empty() ? "another process" : holder;
}

// A failure only costs the next one the holder's name.
void write_holder(int file) {
  std::array<char, 128> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '?';
  const std::string text = concat("process ", ::getpid(), " on ", host.data(), "\n");
  const bool written = ::ftruncate(file, 0) == 0 &&
                       ::pwrite(file, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
  static_cast<void>(written);
}

// 0, or why it failed. The kernel gives up a killed process's lock only after its memory, which may take
// seconds: so a held lock is asked for again before it counts as held.
int try_to_lock(int file) {
  constexpr int kTries = 30;
  int error = 0;
  for (int i = 0; i < kTries; ++i) {
    error = ::flock(file, LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
    if (error != EINTR && error != EWOULDBLOCK) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return error;
}

}  // namespace

// O_CLOEXEC: a program that this one starts must not hold the lock beyond its end.
RunLock::RunLock(const fs::path& run_folder) {
  create_folders(run_folder);
  const fs::path path = run_folder / "train.lock";
  file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (file_ < 0) fail(ErrorKind::kCannotCreate, path.string(), ": cannot create: ", std::strerror(errno));
  const int error = try_to_lock(file_);
  if (error == EWOULDBLOCK) {
    const std::string holder = holder_of(file_);
    ::close(file_);
    fail(ErrorKind::kUsage, run_folder.string(), ": ", holder,
         " trains in this folder; wait for its end or stop it, or choose another paths.run");
  }
  if (error != 0) {
    log_warning(path.string(), ": this file system has no locks (", std::strerror(error),
                "): take care that no other training uses the folder");
  }
  write_holder(file_);
}

RunLock::~RunLock() { ::close(file_); }

}  // namespace uir
