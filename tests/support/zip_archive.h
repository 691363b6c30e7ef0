// Small zip archives of stored entries, written here byte by byte, with whatever is to be wrong with them.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <string>
#include <string_view>

template <class T>
void put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

class ZipArchive {
 public:
  bool zip64 = false;          // numbers in zip64 fields and end records
  uint16_t flags = 0;          // of the entries that follow
  uint16_t method = 0;         // 0: stored
  uint32_t checksum_flip = 0;  // xored onto the checksum
  bool checksums = true;       // false: 0 in their place

  void add(const std::string& name, std::string_view content) {
    const uint64_t at = data_.size();
    std::string fields;  // what local and central headers share
    for (const uint16_t value : {uint16_t{20}, flags, method, uint16_t{0}, uint16_t{0}}) put(fields, value);
    const auto checksum =
        static_cast<uint32_t>(::crc32_z(0, reinterpret_cast<const Bytef*>(content.data()), content.size()));
    put(fields, checksums ? checksum ^ checksum_flip : uint32_t{0});
    for (int i = 0; i < 2; ++i) put(fields, zip64 ? ~uint32_t{0} : static_cast<uint32_t>(content.size()));
    put(fields, static_cast<uint16_t>(name.size()));
    data_ += "PK\x03\x04" + fields + std::string(2, '\0') + name;
    data_ += content;

    std::string extra;
    if (zip64) {
      put(extra, uint16_t{1});
      put(extra, uint16_t{24});
      for (const uint64_t value : {uint64_t{content.size()}, uint64_t{content.size()}, at}) put(extra, value);
    }
    put(fields, static_cast<uint16_t>(extra.size()));
    directory_ += std::string("PK\x01\x02\x14\0", 6) + fields + std::string(10, '\0');
    put(directory_, zip64 ? ~uint32_t{0} : static_cast<uint32_t>(at));
    directory_ += name + extra;
    ++entries_;
  }

  std::string bytes(std::string_view comment = "") const {
    std::string end;
    if (zip64) end = end64();
    end += std::string("PK\x05\x06\0\0\0\0", 8);
    for (int i = 0; i < 2; ++i) put(end, zip64 ? uint16_t{0xffff} : static_cast<uint16_t>(entries_));
    put(end, zip64 ? ~uint32_t{0} : static_cast<uint32_t>(directory_.size()));
    put(end, zip64 ? ~uint32_t{0} : static_cast<uint32_t>(data_.size()));
    put(end, static_cast<uint16_t>(comment.size()));
    return data_ + directory_ + end + std::string(comment);
  }

 private:
  std::string end64() const {
    std::string end("PK\x06\x06", 4);
    put(end, uint64_t{44});
    put(end, uint32_t{0});  // versions
    put(end, uint32_t{0});
    put(end, uint32_t{0});
    for (const uint64_t value : {entries_, entries_, uint64_t{directory_.size()}, uint64_t{data_.size()}})
      put(end, value);
    end += std::string("PK\x06\x07\0\0\0\0", 8);
    put(end, uint64_t{data_.size() + directory_.size()});
    put(end, uint32_t{1});
    return end;
  }

  std::string data_, directory_;
  uint64_t entries_ = 0;
};
