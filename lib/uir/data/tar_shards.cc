#include "uir/data/tar_shards.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>

#include "uir/base/error.h"
#include "uir/base/log.h"
#include "uir/base/text.h"
#include "uir/data/folder_listing.h"

namespace uir {
namespace {

using namespace std::string_view_literals;

constexpr uint64_t kBlock = 512;

// libarchive converts names between the header's characters and the locale's, and composes accents on the
// way; in the plain locale it cannot convert what is not ASCII, and gives the bytes as they are.
class PlainLocale {
 public:
  PlainLocale() : plain_(::newlocale(LC_CTYPE_MASK, "C", nullptr)), before_(::uselocale(plain_)) {}
  ~PlainLocale() {
    ::uselocale(before_);
    ::freelocale(plain_);
  }
  PlainLocale(const PlainLocale&) = delete;
  PlainLocale& operator=(const PlainLocale&) = delete;

 private:
  ::locale_t plain_, before_;
};

struct Compression {
  std::string_view magic, name, unpack;
};
constexpr std::array<Compression, 6> kCompressions{{{"\x1f\x8b"sv, "gzip", "gunzip"},
                                                    {"BZh"sv, "bzip2", "bunzip2"},
                                                    {"\xfd\x37zXZ\0"sv, "xz", "unxz"},
                                                    {"\x28\xb5\x2f\xfd"sv, "zstd", "zstd -d"},
                                                    {"\x04\x22\x4d\x18"sv, "lz4", "lz4 -d"},
                                                    {"LZIP"sv, "lzip", "lzip -d"}}};

// One tar on its way through its headers.
class TarReader {
 public:
  explicit TarReader(const MappedFile& file)
      : file_(file), archive_(::archive_read_new(), ::archive_read_free) {
    ensure(archive_ != nullptr, "memory for libarchive");
    refuse_compressed();
    ::archive_read_support_format_tar(archive_.get());
    const Bytes bytes = file.bytes();
    if (bytes.empty()) refuse(0, "an empty file, no tar");
    if (::archive_read_open_memory(archive_.get(), bytes.data(), bytes.size()) != ARCHIVE_OK)
      refuse(0, "is no tar file");
  }

  // False at the end.
  bool next() {
    const int result = ::archive_read_next_header(archive_.get(), &entry_);
    if (result == ARCHIVE_EOF) return false;
    header_ = static_cast<uint64_t>(::archive_read_header_position(archive_.get()));
    if (result != ARCHIVE_OK && !(result == ARCHIVE_WARN && only_warns_of_characters())) refuse_header();
    take_name();
    const auto type = ::archive_entry_filetype(entry_);
    is_file_ = type == AE_IFREG && !::archive_entry_hardlink(entry_);
    end_ = begin_ = static_cast<uint64_t>(::archive_filter_bytes(archive_.get(), 0));
    if (is_file_) take_size();
    if (!is_file_ && type != AE_IFDIR)
      refuse(header_, name_,
             " is a link or device, and has no content; pack the files themselves (tar "
             "--dereference --hard-dereference)");
    return true;
  }

  bool is_file() const { return is_file_; }
  TarMember member() const { return {name_, begin_, size_}; }

  // What lies behind the last file: zeros, of which two blocks mark the end.
  void check_end() const {
    const auto read = static_cast<uint64_t>(::archive_filter_bytes(archive_.get(), 0));
    const Bytes rest = file_.bytes().subspan(std::min<uint64_t>(read, file_.bytes().size()));
    const auto other = std::ranges::find_if(rest, [](std::byte b) { return b != std::byte{0}; });
    if (other != rest.end())
      refuse(read,
             "the tar ends here, but more follows; tars that were joined (cat) are read up to the first end: "
             "name each by itself");
    if (read < end_ + kBlock)
      log_warning(file_.path().string(), ": ends without the zeros that mark a tar's end, after ", end_,
                  " bytes: it may be cut off");
  }

 private:
  template <class... Parts>
  [[noreturn]] void refuse(uint64_t offset, const Parts&... parts) const {
    fail(ErrorKind::kData, file_.path().string(), ": ", offset > 0 ? concat("at offset ", offset, ": ") : "",
         parts...);
  }

  void refuse_compressed() const {
    for (const auto& [magic, name, unpack] : kCompressions) {
      if (as_text(file_.bytes()).starts_with(magic))
        refuse(0, "a ", name,
               "-compressed file, in which no image can be reached by itself; unpack it: ", unpack, " '",
               readable(file_.path().string()), "'");
    }
  }

  bool only_warns_of_characters() const {
    return said().find("can't be converted") != std::string_view::npos;
  }

  std::string_view said() const {
    const char* text = ::archive_error_string(archive_.get());
    return text ? text : "";
  }

  [[noreturn]] void refuse_header() const {
    const bool cut = said().starts_with("Truncated");
    refuse(header_, cut ? "the file is cut off" : "a damaged header", " (", said(),
           "); copy or pack it again");
  }

  void take_name() {
    const char* name = ::archive_entry_pathname(entry_);
    if (!name) refuse(header_, "a file without a name");
    name_ = name;
    while (name_.starts_with("./")) name_.remove_prefix(2);
    try {
      check_name(name_);
    } catch (const Error& error) {
      throw error.at(file_.path().string());
    }
  }

  void take_size() {
    if (::archive_entry_sparse_count(entry_) > 0)
      refuse(header_, name_, " is stored as a sparse file; pack it without tar's --sparse (-S)");
    const int64_t size = ::archive_entry_size(entry_);
    if (size < 0 || begin_ > file_.bytes().size() ||
        static_cast<uint64_t>(size) > file_.bytes().size() - begin_)
      refuse(header_, name_, " has ", size, " bytes, but the file ends ", file_.bytes().size() - begin_,
             " bytes after its header: it is cut off; copy or pack it again");
    size_ = static_cast<uint64_t>(size);
    end_ = begin_ + (size_ + kBlock - 1) / kBlock * kBlock;
  }

  const MappedFile& file_;
  std::unique_ptr<::archive, int (*)(::archive*)> archive_;
  ::archive_entry* entry_ = nullptr;
  uint64_t header_ = 0, begin_ = 0, size_ = 0, end_ = 0;
  std::string_view name_;
  bool is_file_ = false;
};

}  // namespace

void for_each_tar_member(const MappedFile& file, const std::function<void(const TarMember&)>& body) {
  const PlainLocale locale;
  TarReader reader(file);
  while (reader.next()) {
    if (reader.is_file()) body(reader.member());
  }
  reader.check_end();
}

TarShards::TarShards(const std::vector<fs::path>& paths) {
  files_.reserve(paths.size());
  for (const fs::path& path : paths) {
    files_.emplace_back(path);
    if (files_.back().bytes().size() >> kOffsetBits)
      fail(ErrorKind::kData, path.string(), ": above 1 TiB; divide it into several shards");
  }
}

std::optional<Bytes> TarShards::bytes(uint64_t place, uint64_t size) const {
  const size_t shard = shard_of(place);
  if (shard >= files_.size()) return std::nullopt;
  const Bytes file = files_[shard].bytes();
  const uint64_t offset = offset_of(place);
  if (offset > file.size() || size > file.size() - offset) return std::nullopt;
  return file.subspan(offset, size);
}

void TarShards::drop(uint64_t begin, uint64_t end) const {
  for (size_t shard = shard_of(begin); shard <= shard_of(end); ++shard) {
    const uint64_t first = shard == shard_of(begin) ? offset_of(begin) : 0,
                   last = shard == shard_of(end) ? offset_of(end) : files_[shard].bytes().size();
    if (first < last) files_[shard].drop(first, last - first);
  }
}

}  // namespace uir
