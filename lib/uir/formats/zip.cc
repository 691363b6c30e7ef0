#include "uir/formats/zip.h"

#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>

#include "uir/base/error.h"

namespace uir {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are read as they stand: little-endian");

constexpr uint32_t kLocalSignature = 0x04034b50, kCentralSignature = 0x02014b50, kEndSignature = 0x06054b50,
                   kEnd64Signature = 0x06064b50, kLocatorSignature = 0x07064b50;
constexpr uint64_t kLocalSize = 30, kCentralSize = 46, kEndSize = 22, kEnd64Size = 56, kLocatorSize = 20;
constexpr uint64_t kMaxComment = 0xffff;
constexpr uint32_t kIn64 = 0xffffffff;  // stands for a number that is in the zip64 field
constexpr uint16_t kZip64Field = 1;

// The central directory.
struct Directory {
  uint64_t begin = 0, size = 0, entries = 0;
};

class Parser {
 public:
  Parser(Bytes bytes, const std::string& place) : bytes_(bytes), place_(place) {}

  std::vector<ZipEntry> read() {
    const Directory directory = find_directory();
    std::vector<ZipEntry> entries;
    uint64_t at = directory.begin;
    const uint64_t end = directory.begin + directory.size;
    for (uint64_t i = 0; i < directory.entries; ++i) entries.push_back(read_entry(at, end, directory.begin));
    if (at != end) refuse("its directory has ", end - at, " bytes behind its ", entries.size(), " entries");
    std::ranges::sort(entries, {}, &ZipEntry::name);
    const auto repeated = std::ranges::adjacent_find(entries, {}, &ZipEntry::name);
    if (repeated != entries.end()) refuse("two entries are called '", repeated->name, "'");
    return entries;
  }

 private:
  template <class... Parts>
  [[noreturn]] void refuse(const Parts&... parts) const {
    fail(ErrorKind::kData, place_, ": zip archive: ", parts...);
  }

  Bytes slice(uint64_t begin, uint64_t size) const {
    if (begin > bytes_.size() || size > bytes_.size() - begin)
      refuse(size, " bytes at ", begin, " lie beyond the end; the file is truncated or damaged");
    return bytes_.subspan(begin, size);
  }

  template <class T>
  static T value(Bytes bytes, uint64_t offset) {
    T result;
    std::memcpy(&result, bytes.data() + offset, sizeof result);
    return result;
  }

  // The end record is the last thing in the file; a comment may follow inside it.
  uint64_t find_end() const {
    if (bytes_.size() < kEndSize) refuse(bytes_.size(), " bytes are too few");
    const uint64_t last = bytes_.size() - kEndSize, first = last - std::min(last, kMaxComment);
    for (uint64_t at = last + 1; at-- > first;) {
      const Bytes end = bytes_.subspan(at, kEndSize);
      if (value<uint32_t>(end, 0) == kEndSignature &&
          at + kEndSize + value<uint16_t>(end, 20) == bytes_.size())
        return at;
    }
    refuse("its end record is missing; the file is truncated");
  }

  Directory find_directory() const {
    const uint64_t at = find_end();
    const Bytes end = slice(at, kEndSize);
    if (value<uint16_t>(end, 4) != value<uint16_t>(end, 6) ||
        value<uint16_t>(end, 8) != value<uint16_t>(end, 10))
      refuse("it is one part of several");
    Directory directory{value<uint32_t>(end, 16), value<uint32_t>(end, 12), value<uint16_t>(end, 10)};
    uint64_t limit = at;
    if (at >= kLocatorSize && value<uint32_t>(slice(at - kLocatorSize, 4), 0) == kLocatorSignature) {
      limit = value<uint64_t>(slice(at - kLocatorSize, kLocatorSize), 8);
      const Bytes end64 = slice(limit, kEnd64Size);
      if (value<uint32_t>(end64, 0) != kEnd64Signature) refuse("its zip64 end record is damaged");
      directory = {value<uint64_t>(end64, 48), value<uint64_t>(end64, 40), value<uint64_t>(end64, 32)};
    }
    if (directory.begin > limit || directory.size > limit - directory.begin ||
        directory.entries > directory.size / kCentralSize) {
      refuse("a directory of ", directory.entries, " entries in ", directory.size, " bytes at ",
             directory.begin, " cannot be");
    }
    return directory;
  }

  // The entry whose directory record begins at `at`, which is moved behind it.
  ZipEntry read_entry(uint64_t& at, uint64_t end, uint64_t data_end) const {
    if (end - at < kCentralSize || value<uint32_t>(slice(at, 4), 0) != kCentralSignature)
      refuse("its directory is damaged at ", at);
    const Bytes record = slice(at, kCentralSize);
    const uint64_t name_size = value<uint16_t>(record, 28), extra_size = value<uint16_t>(record, 30),
                   comment_size = value<uint16_t>(record, 32);
    if (name_size + extra_size + comment_size > end - at - kCentralSize)
      refuse("its directory is damaged at ", at);
    const std::string_view name = as_text(slice(at + kCentralSize, name_size));
    const Bytes extra = slice(at + kCentralSize + name_size, extra_size);
    at += kCentralSize + name_size + extra_size + comment_size;

    uint64_t size = value<uint32_t>(record, 24), stored = value<uint32_t>(record, 20),
             local = value<uint32_t>(record, 42);
    read_zip64(name, extra, {&size, &stored, &local});
    const auto method = value<uint16_t>(record, 10);
    if (method == 0 && size != stored) refuse("entry '", name, "' has two sizes: ", size, " and ", stored);
    return {name, data_of(name, local, stored, data_end), value<uint32_t>(record, 16), method,
            (value<uint16_t>(record, 8) & 1) != 0};
  }

  // Numbers of which the record has only 0xffffffff, in order.
  void read_zip64(std::string_view name, Bytes extra, std::initializer_list<uint64_t*> numbers) const {
    if (std::ranges::none_of(numbers, [](const uint64_t* number) { return *number == kIn64; })) return;
    Bytes field = find_zip64(extra);
    for (uint64_t* number : numbers) {
      if (*number != kIn64) continue;
      if (field.size() < 8) refuse("entry '", name, "' lacks its zip64 sizes");
      *number = value<uint64_t>(field, 0);
      field = field.subspan(8);
    }
  }

  static Bytes find_zip64(Bytes extra) {
    while (extra.size() >= 4) {
      const uint64_t size = std::min<uint64_t>(value<uint16_t>(extra, 2), extra.size() - 4);
      if (value<uint16_t>(extra, 0) == kZip64Field) return extra.subspan(4, size);
      extra = extra.subspan(4 + size);
    }
    return {};
  }

  // What follows the local header, which must be of this name and lie in front of the directory.
  Bytes data_of(std::string_view name, uint64_t local, uint64_t size, uint64_t data_end) const {
    const Bytes header = slice(local, kLocalSize);
    const uint64_t name_size = value<uint16_t>(header, 26), extra_size = value<uint16_t>(header, 28);
    if (value<uint32_t>(header, 0) != kLocalSignature ||
        as_text(slice(local + kLocalSize, name_size)) != name)
      refuse("entry '", name, "': there is no such entry at ", local);
    const uint64_t begin = local + kLocalSize + name_size + extra_size;
    if (begin > data_end || size > data_end - begin)
      refuse("entry '", name, "': ", size, " bytes at ", begin, " reach into the directory");
    return slice(begin, size);
  }

  const Bytes bytes_;
  const std::string place_;
};

}  // namespace

ZipFile::ZipFile(const fs::path& path) : ZipFile(MappedFile(path), {}, path.string()) {}

ZipFile::ZipFile(Bytes bytes, std::string place) : ZipFile(MappedFile(), bytes, std::move(place)) {}

ZipFile::ZipFile(MappedFile file, Bytes bytes, std::string place)
    : file_(std::move(file)),
      place_(std::move(place)),
      entries_(Parser(bytes.empty() ? file_.bytes() : bytes, place_).read()),
      has_checksums_(std::ranges::any_of(entries_, [](const ZipEntry& entry) { return entry.crc32 != 0; })) {}

const ZipEntry* ZipFile::find(std::string_view name) const {
  const auto found = std::ranges::lower_bound(entries_, name, {}, &ZipEntry::name);
  return found != entries_.end() && found->name == name ? &*found : nullptr;
}

Bytes ZipFile::read(const ZipEntry& entry) const {
  const auto refuse = [&](const auto&... why) {
    fail(ErrorKind::kData, place_, ": zip archive: entry '", entry.name, "'", why...);
  };
  if (entry.encrypted) refuse(" is encrypted");
  if (entry.method != 0)
    refuse(" is compressed (method ", entry.method, "); store it without compression (zip -0)");
  if (!has_checksums_) return entry.stored;
  const auto* data = reinterpret_cast<const Bytef*>(entry.stored.data());
  const auto found = static_cast<uint32_t>(::crc32_z(0, data, entry.stored.size()));
  if (found != entry.crc32)
    refuse(": checksum ", std::hex, found, ", the archive says ", entry.crc32, "; the file is damaged");
  return entry.stored;
}

}  // namespace uir
