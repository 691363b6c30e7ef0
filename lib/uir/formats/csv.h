// CSV files as RFC 4180 defines them, read by the names of their columns: who reads says which it wants, in
// any order, and others may stand beside them.
//
// Fields are separated by commas, or by what the caller says, and kept as they are, blanks included; one that
// stands in quotes may hold separators, line ends and doubled quotes. Lines end with \n or \r\n; a byte order
// mark and empty lines are passed over. The bytes are given as they stand: no encoding is checked.
// Cost: one pass over the memory map. Threads: one thread.
// Errors: kMissingInput for a missing file; kData naming file and line for a wanted column that is absent or
// stands there twice, a row of another length than the header, misplaced or unclosed quotes, zero bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "uir/base/error.h"
#include "uir/base/file.h"

namespace uir {

class CsvReader {
 public:
  // Reads the header.
  CsvReader(const fs::path& path, const std::vector<std::string_view>& wanted, char separator = ',');

  bool next();  // the next row; false at the end
  // Of the row, in the order in which the columns are wanted; until next() is called.
  const std::string& field(size_t wanted) const { return fields_[columns_[wanted]]; }
  // The first column, whatever its name.
  const std::string& first_column() const { return first_column_; }
  const std::string& first() const { return fields_.front(); }
  int64_t line() const { return row_line_; }                                           // of the row, from 1
  std::string place() const { return concat(file_.path().string(), ":", row_line_); }  // "films.csv:17"

  template <class... Parts>
  [[noreturn]] void refuse(const Parts&... parts) const {
    fail(ErrorKind::kData, place(), ": ", parts...);
  }

 private:
  void find_columns(const std::vector<std::string_view>& wanted);
  bool read_row();
  std::string read_field();
  std::string read_quoted_field();
  bool at_line_end() const;  // or at the file's
  void end_line();

  MappedFile file_;
  char separator_;
  std::string_view rest_;
  int64_t line_ = 1, row_line_ = 1;  // of what is left, and where the row begins
  std::string first_column_;
  std::vector<std::string> fields_;
  std::vector<size_t> columns_;  // of those wanted
  size_t width_ = 0;
};

}  // namespace uir
