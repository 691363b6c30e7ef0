// A fuzz target: one parser fed with arbitrary bytes. With libFuzzer (preset fuzz) each target is a program
// of its own; otherwise all of them are linked into fuzz_replay, which runs the inputs of tests/fuzz/corpus.
//
// What counts as a finding: a crash, a sanitizer's report, a leak, an exception that is no uir::Error, and a
// uir::Error of kind kInternal, which says that an invariant of ours did not hold. Refusing the input with
// any other kind is right.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "uir/base/error.h"
#include "uir/base/file.h"

namespace uir::fuzz {

using Function = void (*)(Bytes);

struct Target {
  const char* name;
  Function function;
};
inline std::vector<Target>& targets() {
  static std::vector<Target> all;
  return all;
}
inline bool add_target(const char* name, Function function) {
  targets().push_back({name, function});
  return true;
}

inline void run(Function function, Bytes bytes) {
  try {
    function(bytes);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kInternal) throw;
  }
}

// A file in memory that parsers open by its path.
class InputFile {
 public:
  explicit InputFile(Bytes content);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const fs::path& path() const { return path_; }

 private:
  int descriptor_;
  fs::path path_;
};

// Several files in one input: each but the last is preceded by its length, a little-endian u16 (what is
// missing is cut off).
template <size_t N>
std::array<Bytes, N> split(Bytes bytes) {
  std::array<Bytes, N> parts;
  for (size_t i = 0; i + 1 < N; ++i) {
    size_t length = 0;
    for (size_t byte = 0; byte < 2 && !bytes.empty(); ++byte, bytes = bytes.subspan(1))
      length |= std::to_integer<size_t>(bytes[0]) << (8 * byte);
    parts[i] = bytes.first(std::min(length, bytes.size()));
    bytes = bytes.subspan(parts[i].size());
  }
  parts[N - 1] = bytes;
  return parts;
}

// The first byte, which chooses among variants, taken off the front.
inline size_t take_choice(Bytes& bytes, size_t variants) {
  if (bytes.empty()) return 0;
  const size_t choice = std::to_integer<size_t>(bytes[0]) % variants;
  bytes = bytes.subspan(1);
  return choice;
}

}  // namespace uir::fuzz

#ifdef UIR_LIBFUZZER
#define UIR_FUZZ_TARGET(name)                                                     \
  static void fuzz_##name(uir::Bytes bytes);                                      \
  extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) { \
    uir::fuzz::run(fuzz_##name, std::as_bytes(std::span(data, size)));            \
    return 0;                                                                     \
  }                                                                               \
  static void fuzz_##name(uir::Bytes bytes)
#else
#define UIR_FUZZ_TARGET(name)                                                                         \
  static void fuzz_##name(uir::Bytes bytes);                                                          \
  [[maybe_unused]] static const bool fuzz_##name##_added = uir::fuzz::add_target(#name, fuzz_##name); \
  static void fuzz_##name(uir::Bytes bytes)
#endif
