#include "uir/ranks/meeting_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include "uir/base/error.h"
#include "uir/base/file.h"

namespace uir {
namespace {

// Refuses what another user could have put there to read or to steer a run.
void check_private(const fs::path& folder) {
  struct stat status {};
  if (::lstat(folder.c_str(), &status) != 0) {
    fail(ErrorKind::kCannotCreate, folder.string(), ": cannot open: ", std::strerror(errno));
  }
  if (!S_ISDIR(status.st_mode) || status.st_uid != ::geteuid() || (status.st_mode & 077) != 0) {
    fail(ErrorKind::kUsage, folder.string(),
         ": the ranks' meeting folder must be a folder of this user that nobody else may enter (mode 0700); "
         "remove it, or set TMPDIR to another place");
  }
}

// All runs of this user meet below it.
fs::path users_folder() {
  std::error_code error;
  const fs::path temporary = fs::temp_directory_path(error);
  if (error) fail(ErrorKind::kCannotCreate, "the temporary folder (TMPDIR): ", error.message());
  const fs::path folder = temporary / concat("uir-", ::geteuid());
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    fail(ErrorKind::kCannotCreate, folder.string(), ": cannot create folder: ", std::strerror(errno));
  }
  check_private(folder);
  return folder;
}

int open_lock(const fs::path& path, int flags) {
  return ::open(path.c_str(), flags | O_RDWR | O_CLOEXEC, 0600);
}

}  // namespace

fs::path create_meeting_folder() {
  std::string name = (users_folder() / "run-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    fail(ErrorKind::kCannotCreate, name, ": cannot create folder: ", std::strerror(errno));
  }
  return name;
}

MeetingNotice::MeetingNotice(const std::string& run_name)
    : path_(users_folder() / ("notice-" + checksum_hex(as_bytes(run_name)))) {}

void MeetingNotice::publish(const fs::path& folder) const { write_file_atomically(path_, folder.string()); }

void MeetingNotice::withdraw() const {
  std::error_code ignored;
  fs::remove(path_, ignored);
}

std::optional<fs::path> MeetingNotice::read() const {
  try {
    return fs::path(read_text_file(path_, 4096));
  } catch (const Error&) {
    return std::nullopt;
  }
}

MeetingFolder::MeetingFolder(const fs::path& path, int64_t rank, int64_t size) : path_(path), size_(size) {
  check_private(path_);
  const fs::path own = lock_of(rank);
  lock_ = open_lock(own, O_CREAT);
  if (lock_ < 0) fail(ErrorKind::kCannotCreate, own.string(), ": cannot create: ", std::strerror(errno));
  if (::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    ::close(lock_);
    fail(ErrorKind::kUsage, own.string(), ": another process is rank ", rank,
         " of this run; every rank is started once");
  }
}

MeetingFolder::~MeetingFolder() {
  ::close(lock_);  // first, so that of two ranks that leave together at least one sees the other gone
  for (int64_t rank = 0; rank < size_; ++rank) {
    if (!has_ended(rank)) return;
  }
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

fs::path MeetingFolder::lock_of(int64_t rank) const { return path_ / concat("rank-", rank); }

bool MeetingFolder::has_ended(int64_t rank) const {
  const int lock = open_lock(lock_of(rank), 0);
  if (lock < 0) return true;
  const bool is_free = ::flock(lock, LOCK_SH | LOCK_NB) == 0;
  ::close(lock);
  return is_free;
}

}  // namespace uir
