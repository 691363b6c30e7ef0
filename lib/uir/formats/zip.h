// zip archives whose entries are stored without compression, as PyTorch writes them; zip64 included.
//
// Entries are views into the memory map. Read from strangers without trust: the end record must end the file,
// the central directory must fill what it announces, every entry's data must lie in front of it under a local
// header of the same name.
// Refused by name: compressed and encrypted entries, archives of several parts, repeated names.
// Cost: one pass over the directory; contents are read by check() only. Memory: a small multiple of the
// directory.
// Errors: kMissingInput, kData naming the file and the entry. Threads: const after construction.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "uir/base/file.h"

namespace uir {

struct ZipEntry {
  std::string_view name;
  Bytes bytes;
  uint32_t crc32 = 0;
};

class ZipFile {
 public:
  explicit ZipFile(const fs::path& path);

  const std::vector<ZipEntry>& entries() const { return entries_; }  // by name
  const ZipEntry* find(std::string_view name) const;                 // null if there is none
  // kData unless the entry's bytes have the checksum that the archive tells.
  void check(const ZipEntry& entry) const;
  const MappedFile& file() const { return file_; }

 private:
  MappedFile file_;
  std::vector<ZipEntry> entries_;
};

}  // namespace uir
