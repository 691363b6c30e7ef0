// zip archives: the names of all entries, and the contents of those that are stored without compression, as
// PyTorch writes them; zip64 included.
//
// Entries are views into the memory map. Read from strangers without trust: the end record must end the file,
// the central directory must fill what it announces, every entry's data must lie in front of it under a local
// header of the same name.
// Refused by name: archives of several parts, repeated names, and by read() compressed and encrypted entries.
// Cost: one pass over the directory; contents are read by read() only. Memory: a small multiple of the
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
  Bytes stored;  // as it lies in the file
  uint32_t crc32 = 0;
  uint16_t method = 0;  // 0: stored as it is
  bool encrypted = false;
};

class ZipFile {
 public:
  explicit ZipFile(const fs::path& path);
  // An archive in a part of a file, which must outlive it. place: for messages.
  ZipFile(Bytes bytes, std::string place);

  const std::vector<ZipEntry>& entries() const { return entries_; }  // by name
  const ZipEntry* find(std::string_view name) const;                 // null if there is none
  // The entry's content. kData if it is compressed or encrypted, or has not the checksum that the archive
  // tells. An archive that tells 0 of all entries has none (PyTorch's set_crc32_options(False)).
  Bytes read(const ZipEntry& entry) const;
  const MappedFile& file() const { return file_; }

 private:
  ZipFile(MappedFile file, Bytes bytes, std::string place);

  MappedFile file_;  // of nothing, where the bytes are someone else's
  std::string place_;
  std::vector<ZipEntry> entries_;
  bool has_checksums_;
};

}  // namespace uir
