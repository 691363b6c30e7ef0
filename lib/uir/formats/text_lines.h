// The lines of a text file of any length, in flat memory, and errors that name file and line.
//
// Lines end with \n or \r\n; a byte order mark and empty lines are passed over. The bytes are given as they
// stand: no encoding is checked. Cost: one pass over the memory map, whose pages are let go on the way.
// Errors: kMissingInput for a missing file; kData naming file and line. Threads: one thread.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "uir/base/error.h"
#include "uir/base/file.h"

namespace uir {

class TextLines {
 public:
  static constexpr size_t kMaxLine = 1 << 16;

  explicit TextLines(const fs::path& path) : file_(path) {
    if (as_text(file_.bytes()).starts_with("\xef\xbb\xbf")) position_ = 3;  // byte order mark
  }

  // Moves to the next line that is not empty; false at the end. kData for a line beyond kMaxLine or with a
  // zero byte.
  bool next();
  std::string_view line() const { return line_; }  // without its end; valid while the object lives
  uint64_t begin() const { return begin_; }        // its position in the file
  // Goes to the line that begins at the position; next() continues where it was.
  std::string_view line_at(uint64_t begin);
  const fs::path& path() const { return file_.path(); }
  // "list.txt:17", of the present line or of the one that begins there. Reads the file up to it: for errors
  // only.
  std::string place() const { return place_at(begin_); }
  std::string place_at(uint64_t begin) const;

  template <class... Parts>
  [[noreturn]] void refuse(const Parts&... parts) const {
    fail(ErrorKind::kData, place(), ": ", parts...);
  }

 private:
  std::string_view raw_line_at(uint64_t begin) const;

  MappedFile file_;
  uint64_t position_ = 0, begin_ = 0, dropped_ = 0;
  std::string_view line_;
};

// The fields between separators, as views of the text, replacing those in `fields`. Runs of separators count
// as one, and those at the ends as none, if merge is set; without it there is at least one field.
void split(std::string_view text, char separator, bool merge, std::vector<std::string_view>& fields);
// The whole text as a number; none if it is not one.
template <class T>
std::optional<T> parse_number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace uir
