// Tar files: which files lie where in them, and the bytes of those.
//
// Read are ustar, GNU's and pax's headers (libarchive). Names are bytes, whatever the locale.
// Cost: for_each_tar_member reads the headers; a shard is a memory map, and bytes() a view into it.
// Errors: kMissingInput; kData naming the shard, and the place in it, for what is no tar, compressed, cut,
// damaged, joined or above 1 TiB, and for links, sparse files and names that check_name refuses.
// Threads: const functions are thread-safe; for_each_tar_member is.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "uir/base/file.h"

namespace uir {

// A regular file in a tar.
struct TarMember {
  std::string_view name;          // without "./" in front; valid within the call
  uint64_t offset = 0, size = 0;  // of its bytes
};

// The regular files in their order. Warns of a tar that ends without the zeros that mark the end.
void for_each_tar_member(const MappedFile& file, const std::function<void(const TarMember&)>& body);

// Several of them, in which a place is one number: shard · 2^40 + offset in the shard.
class TarShards {
 public:
  explicit TarShards(const std::vector<fs::path>& paths);

  size_t size() const { return files_.size(); }
  const MappedFile& file(size_t shard) const { return files_[shard]; }
  static uint64_t place(size_t shard, uint64_t offset) { return (uint64_t{shard} << kOffsetBits) + offset; }
  static size_t shard_of(uint64_t place) { return static_cast<size_t>(place >> kOffsetBits); }
  static uint64_t offset_of(uint64_t place) { return place & ((uint64_t{1} << kOffsetBits) - 1); }
  // None if no shard has them.
  std::optional<Bytes> bytes(uint64_t place, uint64_t size) const;
  // Lets the pages between two places go.
  void drop(uint64_t begin, uint64_t end) const;

 private:
  static constexpr int kOffsetBits = 40;
  std::vector<MappedFile> files_;
};

}  // namespace uir
