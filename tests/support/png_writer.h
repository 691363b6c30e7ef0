// PNG files of any kind of pixels, byte by byte and without compression, for tests of reading them.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace png {

inline std::string big_endian(uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 255);
  return bytes;
}

inline std::string chunk(const std::string& name, const std::string& content) {
  uint32_t crc = 0xffffffff;
  for (const char c : name + content) {
    crc ^= static_cast<uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return big_endian(static_cast<uint32_t>(content.size())) + name + content + big_endian(~crc);
}

// zlib's format with one stored block, so of at most 65535 bytes.
inline std::string stored(const std::string& content) {
  uint32_t a = 1, b = 0;
  for (const char c : content) {
    a = (a + static_cast<uint8_t>(c)) % 65521;
    b = (b + a) % 65521;
  }
  const auto size = static_cast<uint32_t>(content.size());
  std::string bytes("\x78\x01\x01");
  for (const uint32_t value : {size, ~size}) {
    bytes += static_cast<char>(value & 255);
    bytes += static_cast<char>(value >> 8 & 255);
  }
  return bytes + content + big_endian(b << 16 | a);
}

inline std::string header(uint32_t width, uint32_t height, int depth, int colour_type) {
  const std::string tail{static_cast<char>(depth), static_cast<char>(colour_type), 0, 0, 0};
  return "\x89PNG\r\n\x1a\n" + chunk("IHDR", big_endian(width) + big_endian(height) + tail);
}

// Rows of equal length, packed; each begins with its filter, which is none.
inline std::string rows(const std::string& packed, size_t row_bytes) {
  std::string filtered;
  for (size_t at = 0; at < packed.size(); at += row_bytes) filtered += '\0' + packed.substr(at, row_bytes);
  return stored(filtered);
}

}  // namespace png
