// Files: whole reads, memory maps, checksums, and the commit protocol for everything that is published.
//
// Commit protocol (docs/architecture.md): write into "<name>.tmp-<pid>" beside the target, fsync every file,
// rename, fsync the parent folder. A crash at any point leaves the old output intact; left-over temporaries
// of dead processes are removed by the next writer. Checksums are XXH3 (64 bits) as 16 hex digits; content
// hashes of images are XXH3 (128 bits).
//
// Errors: a missing or unreadable input is kMissingInput, an output that cannot be created kCannotCreate, a
// failed read, write, fsync or rename kIo; every message names the path.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

struct XXH3_state_s;  // of xxhash.h

namespace uir {

namespace fs = std::filesystem;
using Bytes = std::span<const std::byte>;

inline Bytes as_bytes(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }
inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

uint64_t checksum64(Bytes bytes);
std::string checksum_hex(Bytes bytes);        // of the bytes
std::string checksum_hex(uint64_t checksum);  // 16 hex digits
struct ContentHash {
  uint64_t low = 0, high = 0;
  auto operator<=>(const ContentHash&) const = default;
};
ContentHash content_hash(Bytes bytes);

// The checksum of bytes that arrive in pieces. checksum64 of the whole is the same.
class Checksum {
 public:
  Checksum();
  ~Checksum();
  Checksum(Checksum&& other) noexcept;
  Checksum& operator=(Checksum&& other) noexcept;
  void add(Bytes bytes);
  uint64_t value() const;

 private:
  ::XXH3_state_s* state_;
};

// The whole file. max_bytes guards against reading a huge file as a small one (kData).
std::string read_text_file(const fs::path& path, uint64_t max_bytes = uint64_t{1} << 30);

// A read-only memory map. An empty file maps to an empty span. Valid while the object lives.
class MappedFile {
 public:
  MappedFile() = default;
  explicit MappedFile(const fs::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  Bytes bytes() const { return {static_cast<const std::byte*>(data_), size_}; }
  const fs::path& path() const { return path_; }
  // Tells the kernel that the range was read and its pages may go (flat memory on sequential passes).
  void drop(uint64_t offset, uint64_t size) const;

 private:
  fs::path path_;
  void* data_ = nullptr;
  size_t size_ = 0;
};

// A buffered output file that checks every write and computes its checksum. Not atomic by itself: use
// AtomicFile or AtomicFolder.
class OutputFile {
 public:
  OutputFile() = default;
  explicit OutputFile(const fs::path& path);  // creates or truncates
  ~OutputFile();
  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&& other) noexcept;

  void write(Bytes bytes);
  void write(std::string_view text) { write(as_bytes(text)); }
  template <class T>
  void write_values(std::span<const T> values) {
    write(std::as_bytes(values));
  }
  uint64_t size() const { return size_; }
  uint64_t checksum() const { return checksum_.value(); }
  const fs::path& path() const { return path_; }
  // Flushes, fsyncs and closes; throws kIo when any of it fails.
  void close();
  // kLater leaves the fsync out: for one of very many files, whose writer calls sync_file_system before it
  // publishes them.
  enum class Sync { kNow, kLater };
  void close(Sync sync);

 private:
  fs::path path_;
  std::FILE* file_ = nullptr;
  uint64_t size_ = 0;
  Checksum checksum_;
};

// Writes a whole file by the commit protocol.
void write_file_atomically(const fs::path& path, std::string_view text);

// A file that appears under its name only when commit() is called; removed otherwise.
class AtomicFile {
 public:
  explicit AtomicFile(const fs::path& path);
  ~AtomicFile();
  OutputFile& out() { return out_; }
  void commit();

 private:
  fs::path path_;
  fs::path temporary_;
  OutputFile out_;
  bool committed_ = false;
};

// A folder that appears under its name only when commit() is called (publish_folder); removed otherwise.
// Files inside are the writer's business (OutputFile::close fsyncs them).
class AtomicFolder {
 public:
  explicit AtomicFolder(const fs::path& path);
  ~AtomicFolder();
  const fs::path& path() const { return temporary_; }  // where to write
  const fs::path& final_path() const { return path_; }
  void commit();

 private:
  fs::path path_;
  fs::path temporary_;
  bool committed_ = false;
};

// Gives a finished folder its final name: fsync, rename (or exchange in a single system call with a folder
// that exists already under it, which is then deleted), fsync the parent.
void publish_folder(const fs::path& finished, const fs::path& path);
void create_folders(const fs::path& path);  // kCannotCreate
void fsync_folder(const fs::path& path);
void sync_file_system(const fs::path& path);  // all files of the file system that the folder lies in; kIo
// Joins root and a relative path read from a list; kData if the result would leave root ("..", absolute)
// lexically.
fs::path join_inside(const fs::path& root, std::string_view relative);
// As join_inside, and follows symbolic links: the real file must lie inside the real root.
fs::path resolve_inside(const fs::path& root, std::string_view relative);

// Called with the name of each point of the commit protocol; tests set it to simulate a crash or a full disk
// there. No handler: no cost.
using FailpointHandler = void (*)(std::string_view name);
void set_failpoint_handler(FailpointHandler handler);
void failpoint(std::string_view name);

}  // namespace uir
