// The lines of a large text file, read from a memory map by several threads.
//
// Two passes: one counts lines, so that the second knows the number of every line, for errors and for writing
// to a place of its own. Blank lines at the end do not count; a carriage return at a line's end and a byte
// order mark are accepted. Cost: the memory's speed; own memory does not grow with the file.
// Errors: the exception of the first line in the file that has one, whatever the number of threads.
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "uir/base/file.h"
#include "uir/base/parallel.h"

namespace uir {

class ParallelLines {
 public:
  explicit ParallelLines(const fs::path& path, int threads = 1);

  int64_t size() const { return chunks_.empty() ? 0 : chunks_.back().first_line + chunks_.back().lines; }
  // Calls body(i, line) for every line i (from 0); lines of one chunk in order, chunks at once. The lines
  // live as long as this object.
  template <class Body>
  void for_each(Body&& body) const {
    std::vector<std::exception_ptr> errors(chunks_.size());
    parallel_blocks(static_cast<int64_t>(chunks_.size()), 1, threads_, [&](int64_t c, int64_t) {
      try {
        visit(chunks_[c], body);
      } catch (...) {
        errors[c] = std::current_exception();
      }
    });
    for (const std::exception_ptr& error : errors) {
      if (error) std::rethrow_exception(error);
    }
  }

  const fs::path& path() const { return file_.path(); }
  std::string place(int64_t i) const;  // "pairs.txt: line 7"
  [[noreturn]] void refuse(int64_t i, std::string_view found, std::string_view expected) const;

 private:
  struct Chunk {
    std::string_view text;
    int64_t first_line = 0, lines = 0;
  };
  template <class Body>
  static void visit(const Chunk& chunk, Body& body) {
    int64_t i = chunk.first_line;
    for (size_t begin = 0; begin < chunk.text.size(); ++i) {
      const size_t end = std::min(chunk.text.find('\n', begin), chunk.text.size());
      std::string_view line = chunk.text.substr(begin, end - begin);
      if (line.ends_with('\r')) line.remove_suffix(1);
      body(i, line);
      begin = end + 1;
    }
  }

  MappedFile file_;
  int threads_;
  std::vector<Chunk> chunks_;
};

// A whole number of at least 0 at the front of the text, which then starts behind it and the blanks that
// follow; −1 if there is none, if it has more than 18 digits, or if something else than a blank follows.
int64_t take_number(std::string_view& text);
// The text up to the first blank, taken off the front together with the blanks that follow; empty at the end.
std::string_view take_field(std::string_view& text);

}  // namespace uir
