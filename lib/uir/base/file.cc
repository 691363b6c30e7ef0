#include "uir/base/file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include "uir/base/error.h"

namespace uir {
namespace {

std::atomic<FailpointHandler> failpoint_handler{nullptr};

std::string reason() { return std::strerror(errno); }

// A full disk is an I/O error, whatever it keeps from being created.
ErrorKind creation_error(int code) {
  return code == ENOSPC || code == EDQUOT ? ErrorKind::kIo : ErrorKind::kCannotCreate;
}

constexpr std::string_view kTemporaryMark = ".tmp-";

fs::path temporary_name(const fs::path& path) {
  fs::path name = path;
  name += concat(kTemporaryMark, ::getpid());
  return name;
}

fs::path parent_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

// Temporaries "<name>.tmp-<pid>" whose process is gone.
void remove_stale_temporaries(const fs::path& path) {
  const std::string prefix = path.filename().string() + std::string(kTemporaryMark);
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(parent_of(path), ignored)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(prefix)) continue;
    int pid = 0;
    const auto [end, error] = std::from_chars(name.data() + prefix.size(), name.data() + name.size(), pid);
    const bool own = error == std::errc() && end == name.data() + name.size();
    if (own && (pid == ::getpid() || (::kill(pid, 0) != 0 && errno == ESRCH)))
      fs::remove_all(entry.path(), ignored);
  }
}

void rename_or_fail(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) {
    fail(ErrorKind::kIo, to.string(), ": cannot rename ", from.string(), " into place: ", reason());
  }
}

void exchange_or_fail(const fs::path& a, const fs::path& b) {
  if (::renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE) != 0) {
    fail(ErrorKind::kIo, b.string(), ": cannot exchange with ", a.string(), ": ", reason(),
         "; if this file system cannot exchange folders, remove ", b.string(), " and run again");
  }
}

void sync_folder(const fs::path& path, int (*sync)(int)) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = fd >= 0 && sync(fd) == 0;
  const std::string why = reason();
  if (fd >= 0) ::close(fd);
  if (!synced) fail(ErrorKind::kIo, path.string(), ": cannot sync folder: ", why);
}

}  // namespace

uint64_t checksum64(Bytes bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

std::string checksum_hex(uint64_t checksum) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(checksum));
  return text;
}

std::string checksum_hex(Bytes bytes) { return checksum_hex(checksum64(bytes)); }

ContentHash content_hash(Bytes bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.low64, hash.high64};
}

Checksum::Checksum() : state_(XXH3_createState()) { XXH3_64bits_reset(state_); }
Checksum::~Checksum() { XXH3_freeState(state_); }
Checksum::Checksum(Checksum&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
Checksum& Checksum::operator=(Checksum&& other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}
void Checksum::add(Bytes bytes) { XXH3_64bits_update(state_, bytes.data(), bytes.size()); }
uint64_t Checksum::value() const { return XXH3_64bits_digest(state_); }

std::string read_text_file(const fs::path& path, uint64_t max_bytes) {
  const MappedFile file(path);
  if (file.bytes().size() > max_bytes) {
    fail(ErrorKind::kData, path.string(), ": ", file.bytes().size(), " bytes, expected at most ", max_bytes);
  }
  return std::string(as_text(file.bytes()));
}

MappedFile::MappedFile(const fs::path& path) : path_(path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // of a pipe: at once
  if (fd < 0) fail(ErrorKind::kMissingInput, path.string(), ": cannot open: ", reason());
  struct stat info {};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(fd);
    fail(ErrorKind::kMissingInput, path.string(), ": not a regular file");
  }
  size_ = static_cast<size_t>(info.st_size);
  if (size_ > 0) data_ = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, fd, 0);
  const std::string why = reason();
  ::close(fd);
  if (data_ == MAP_FAILED) {
    data_ = nullptr;
    fail(ErrorKind::kIo, path.string(), ": cannot map into memory: ", why);
  }
}

MappedFile::~MappedFile() {
  if (data_) ::munmap(data_, size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

void MappedFile::drop(uint64_t offset, uint64_t size) const {
  const auto page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  const uint64_t first = (offset + page - 1) / page * page;
  const uint64_t last = std::min<uint64_t>(offset + size, size_) / page * page;
  if (data_ && last > first) ::madvise(static_cast<char*>(data_) + first, last - first, MADV_DONTNEED);
}

OutputFile::OutputFile(const fs::path& path) : path_(path), file_(std::fopen(path.c_str(), "wbe")) {
  if (!file_) fail(creation_error(errno), path.string(), ": cannot create: ", reason());
}

OutputFile::~OutputFile() {
  if (file_) std::fclose(file_);
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : path_(std::move(other.path_)),
      file_(std::exchange(other.file_, nullptr)),
      size_(other.size_),
      checksum_(std::move(other.checksum_)) {}

OutputFile& OutputFile::operator=(OutputFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(file_, other.file_);
  std::swap(size_, other.size_);
  std::swap(checksum_, other.checksum_);
  return *this;
}

void OutputFile::write(Bytes bytes) {
  failpoint("file.write");
  if (bytes.empty()) return;  // perhaps from nowhere, which fwrite may not be given
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size()) {
    fail(ErrorKind::kIo, path_.string(), ": cannot write: ", reason());
  }
  size_ += bytes.size();
  checksum_.add(bytes);
}

void OutputFile::close() { close(Sync::kNow); }

void OutputFile::close(Sync sync) {
  if (!file_) return;  // closed before, for a look at the finished file
  failpoint("file.close");
  std::FILE* file = std::exchange(file_, nullptr);
  const bool flushed = std::fflush(file) == 0 && (sync == Sync::kLater || ::fsync(::fileno(file)) == 0);
  const std::string why = reason();
  if (std::fclose(file) != 0 || !flushed) fail(ErrorKind::kIo, path_.string(), ": cannot write: ", why);
}

void write_file_atomically(const fs::path& path, std::string_view text) {
  AtomicFile file(path);
  file.out().write(text);
  file.commit();
}

AtomicFile::AtomicFile(const fs::path& path) : path_(path), temporary_(temporary_name(path)) {
  create_folders(parent_of(path));
  remove_stale_temporaries(path);
  out_ = OutputFile(temporary_);
}

AtomicFile::~AtomicFile() {
  std::error_code ignored;
  if (!committed_) fs::remove(temporary_, ignored);
}

void AtomicFile::commit() {
  out_.close();
  failpoint("file.before_rename");
  rename_or_fail(temporary_, path_);
  committed_ = true;
  fsync_folder(parent_of(path_));
}

AtomicFolder::AtomicFolder(const fs::path& path) : path_(path), temporary_(temporary_name(path)) {
  create_folders(parent_of(path));
  remove_stale_temporaries(path);
  create_folders(temporary_);
}

AtomicFolder::~AtomicFolder() {
  std::error_code ignored;
  if (!committed_) fs::remove_all(temporary_, ignored);
}

void AtomicFolder::commit() {
  publish_folder(temporary_, path_);
  committed_ = true;
}

void publish_folder(const fs::path& finished, const fs::path& path) {
  fsync_folder(finished);
  failpoint("folder.before_rename");
  const bool replaces = fs::exists(path);
  if (replaces) {
    exchange_or_fail(finished, path);  // the temporary name holds the old folder now
  } else {
    rename_or_fail(finished, path);
  }
  fsync_folder(parent_of(path));
  failpoint("folder.after_rename");
  std::error_code ignored;
  if (replaces) fs::remove_all(finished, ignored);
}

void create_folders(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) fail(creation_error(error.value()), path.string(), ": cannot create folder: ", error.message());
}

void fsync_folder(const fs::path& path) { sync_folder(path, ::fsync); }
void sync_file_system(const fs::path& path) { sync_folder(path, ::syncfs); }

fs::path join_inside(const fs::path& root, std::string_view relative) {
  const fs::path path(relative);
  const fs::path normal = path.lexically_normal();
  if (relative.empty() || path.is_absolute() || *normal.begin() == ".." ||
      relative.find('\0') != std::string_view::npos) {
    fail(ErrorKind::kData, "path '", relative, "' leaves the folder ", root.string(),
         "; entries must be relative and stay inside it");
  }
  return root / normal;
}

fs::path resolve_inside(const fs::path& root, std::string_view relative) {
  const fs::path joined = join_inside(root, relative);
  std::error_code error;
  const fs::path real = fs::canonical(joined, error);
  if (error) fail(ErrorKind::kMissingInput, joined.string(), ": cannot open: ", error.message());
  const fs::path real_root = fs::canonical(root, error);
  const auto [mismatch, unused] = std::mismatch(real_root.begin(), real_root.end(), real.begin(), real.end());
  if (error || mismatch != real_root.end()) {
    fail(ErrorKind::kData, joined.string(), ": a symbolic link leads out of ", root.string(), " to ",
         real.string());
  }
  return joined;
}

void set_failpoint_handler(FailpointHandler handler) { failpoint_handler = handler; }

void failpoint(std::string_view name) {
  if (const FailpointHandler handler = failpoint_handler) handler(name);
}

}  // namespace uir
