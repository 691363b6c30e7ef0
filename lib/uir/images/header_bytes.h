// Bytes of encoded images, read with their bounds, and the limits that every format's header is held to.
//
// Errors: kData where bytes are missing or a limit is exceeded. Threads: thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>

#include "uir/base/error.h"
#include "uir/base/file.h"
#include "uir/images/decode.h"

namespace uir {

inline uint32_t byte_at(Bytes bytes, size_t at) {
  if (at >= bytes.size()) fail(ErrorKind::kData, "truncated after ", bytes.size(), " bytes");
  return std::to_integer<uint32_t>(bytes[at]);
}
inline uint32_t little_endian(Bytes bytes, size_t at, size_t count) {
  uint32_t value = 0;
  for (size_t i = 0; i < count; ++i) value |= byte_at(bytes, at + i) << (8 * i);
  return value;
}
inline uint32_t big_endian32(Bytes bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | byte_at(bytes, at + i);
  return value;
}

// That there are at least so many bytes.
inline void check_whole(Bytes encoded, int64_t needed) {
  if (static_cast<int64_t>(encoded.size()) >= needed) return;
  fail(ErrorKind::kData, "truncated: ", encoded.size(), " of ", needed, " bytes");
}

// The size that a header says; refused beyond the limits, before memory is taken.
inline ImageSize checked_size(int64_t width, int64_t height) {
  if (width <= 0 || height <= 0) fail(ErrorKind::kData, "its header says ", width, "x", height, " pixels");
  if (width > kMaxImageSide || height > kMaxImageSide || width * height > kMaxImagePixels) {
    fail(ErrorKind::kData, "its header says ", width, "x", height, " pixels; the limit is ", kMaxImageSide,
         " a side and ", kMaxImagePixels, " in all");
  }
  return {static_cast<int>(width), static_cast<int>(height)};
}

}  // namespace uir
