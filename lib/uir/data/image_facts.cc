#include "uir/data/image_facts.h"

#include <vector>

#include "uir/base/error.h"
#include "uir/images/decode.h"

namespace uir {
namespace {

constexpr uint64_t kMaxFileSize = uint64_t{1} << 28;  // of one image

void check_file_size(uint64_t size) {
  if (size > kMaxFileSize) {
    fail(ErrorKind::kData, size, " bytes; an image may have ", kMaxFileSize, "; take it out of the source");
  }
}

}  // namespace

ImageFacts facts_of(Bytes encoded, int64_t mtime) {
  check_file_size(encoded.size());
  ImageFacts facts;
  facts.size = static_cast<uint32_t>(encoded.size());
  facts.mtime = mtime;
  facts.hash = content_hash(encoded);
  try {
    const ImageSize size = probe_image(encoded);
    facts.pixels = {static_cast<uint16_t>(size.width), static_cast<uint16_t>(size.height)};
  } catch (const Error& error) {
    facts.unreadable = error.what();
  }
  return facts;
}

ImageFacts facts_unless_known(Bytes encoded, int64_t mtime, const ImageFacts* known) {
  if (known && known->mtime == mtime && known->size == encoded.size()) return *known;
  return facts_of(encoded, mtime);
}

ImageFacts examine_file(const ImageFolder& folder, const std::string& item, const ImageFacts* known) {
  const ImageFile file = folder.open(item);
  try {
    const auto [size, mtime] = file.facts();
    if (known && known->mtime == mtime && known->size == size) return *known;
    check_file_size(size);
    thread_local std::vector<std::byte> bytes;
    bytes.resize(size);
    if (file.read(bytes, size) != size) fail(ErrorKind::kIo, "became shorter while it was read");
    return facts_of(bytes, mtime);
  } catch (const Error& error) {
    throw error.at((folder.root() / item).string());
  }
}

void look_for_file(const ImageFolder& folder, const std::string& item) {
  const ImageFile file = folder.open(item);
  try {
    (void)file.facts();
  } catch (const Error& error) {
    throw error.at((folder.root() / item).string());
  }
}

}  // namespace uir
