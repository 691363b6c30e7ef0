// Plain values one after the other in a string of bytes: how searches write what they found
// (MergeableSearch::save) and read it again. In the machine's byte order: they are read by the same program.
// A list or text has its length, int64, in front.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "uir/base/error.h"

namespace uir {

class ByteWriter {
 public:
  template <class T>
  requires std::is_trivially_copyable_v<T>
  void put(const T& value) { bytes_.append(reinterpret_cast<const char*>(&value), sizeof value); }
  template <class T>
  void put_all(const std::vector<T>& values) {
    put(static_cast<int64_t>(values.size()));
    bytes_.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
  }
  void put_text(std::string_view text) {
    put(static_cast<int64_t>(text.size()));
    bytes_.append(text);
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Every function is kData when the bytes end early.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}
  template <class T>
  requires std::is_trivially_copyable_v<T> T get() {
    T value;
    copy(&value, sizeof value);
    return value;
  }
  template <class T>
  std::vector<T> get_all() {
    const auto size = get<int64_t>();
    if (size < 0 || static_cast<uint64_t>(size) > rest_.size() / sizeof(T)) ends_early();
    std::vector<T> values(static_cast<size_t>(size));
    copy(values.data(), values.size() * sizeof(T));
    return values;
  }
  std::string_view get_text() {
    const auto size = get<int64_t>();
    if (size < 0 || static_cast<uint64_t>(size) > rest_.size()) ends_early();
    const std::string_view text = rest_.substr(0, static_cast<size_t>(size));
    rest_.remove_prefix(text.size());
    return text;
  }

 private:
  [[noreturn]] static void ends_early() { fail(ErrorKind::kData, "the saved results of a search end early"); }
  void copy(void* to, size_t size) {
    if (size > rest_.size()) ends_early();
    std::copy_n(rest_.data(), size, static_cast<char*>(to));
    rest_.remove_prefix(size);
  }
  std::string_view rest_;
};

}  // namespace uir
