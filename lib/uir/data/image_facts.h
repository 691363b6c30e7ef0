// What an index keeps of an encoded image: size, time stamp, content hash, pixels.
//
// Cost: one read and one hash of the bytes; only the header is decoded. Threads: thread-safe.
// Errors: kData for more than 256 MiB, kMissingInput, kIo; a header that cannot be read is no error but a
// fact.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "uir/base/file.h"
#include "uir/images/image_folder.h"

namespace uir {

struct ImageFacts {
  uint32_t size = 0;  // bytes
  int64_t mtime = 0;  // of the file that holds the image [ns since 1970]
  ContentHash hash;
  std::array<uint16_t, 2> pixels{0, 0};  // width, height; 0, 0: unreadable
  std::string unreadable;                // why the header cannot be read; empty if it can
  bool reused = false;                   // taken from what was known
};

ImageFacts facts_of(Bytes encoded, int64_t mtime);
// `known` (may be null), without a look at the bytes, if size and time stamp are the same.
ImageFacts facts_unless_known(Bytes encoded, int64_t mtime, const ImageFacts* known);
// The same of an image file, which is not read if it is known; errors name it.
ImageFacts examine_file(const ImageFolder& folder, const std::string& item, const ImageFacts* known);
// kMissingInput naming it if there is no such file: what examine_file would say, without reading it.
void look_for_file(const ImageFolder& folder, const std::string& item);

}  // namespace uir
