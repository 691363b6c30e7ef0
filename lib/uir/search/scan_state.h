// The saved state of an interrupted scan (pair_scan.h): which blocks are done and what they found.
//
// File (docs/formats.md): magic, version, fingerprint, counts, the search's bytes, XXH3 of everything before it. Written by the
// commit protocol, so a crash leaves the state before it. A state that is damaged or belongs to other inputs or
// settings is ignored with a warning that says so: it can only save time, never change a result.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "uir/base/error.h"
#include "uir/base/file.h"

namespace uir {

struct ScanState {
  int64_t next_block = 0;           // all blocks before it are done
  std::vector<int64_t> done_ahead;  // and these after it, ascending
  int64_t pairs = 0, rescored = 0;
  std::string found;  // PairSearch::save()
};

void save_scan_state(const fs::path& path, uint64_t fingerprint, const ScanState& state);
std::optional<ScanState> load_scan_state(const fs::path& path, uint64_t fingerprint);

// Plain values one after the other, for save() and merge().
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

// kData when the bytes end early.
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
  bool at_end() const { return rest_.empty(); }

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
