#include "uir/data/index_flags.h"

#include <algorithm>

#include "uir/base/error.h"
#include "uir/data/index_files.h"

namespace uir {
namespace {

void copy_checked(const fs::path& from, const fs::path& to, const IndexManifest::File& file) {
  const MappedFile source(from);
  OutputFile copy(to);
  copy.write(source.bytes());
  copy.close();
  if (copy.size() != file.bytes || checksum_hex(copy.checksum()) != file.checksum) {
    fail(ErrorKind::kData, from.string(), ": damaged: the checksum does not fit; rebuild with uir-index");
  }
}

}  // namespace

void write_index_with_flags(const fs::path& folder, const fs::path& to, std::span<const uint32_t> flags) {
  IndexManifest manifest = IndexManifest::read(folder);
  AtomicFolder out(to);
  for (IndexManifest::File& file : manifest.files) {
    if (file.name != index_files::kFlags) {
      copy_checked(folder / file.name, out.path() / file.name, file);
      continue;
    }
    OutputFile flags_file(out.path() / file.name);
    flags_file.write_values(flags);
    flags_file.close();
    file.checksum = checksum_hex(flags_file.checksum());
  }
  write_manifest(out.path(), manifest);
  out.commit();
}

}  // namespace uir
