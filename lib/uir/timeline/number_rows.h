// The many numbers of a JSON text, read faster than by a document: rows of numbers under certain keys.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace uir {

struct NumberRows {
  size_t width = 0;             // numbers a row
  std::vector<double> numbers;  // [rows, width]
  size_t rows() const { return width == 0 ? 0 : numbers.size() / width; }
  const double* row(size_t i) const { return numbers.data() + i * width; }
};

// A key whose values are arrays of rows, and how many numbers a row has.
struct RowKey {
  std::string_view key;
  size_t width;
};

// The text with the arrays under these keys taken out: in their places stand their numbers 0, 1 … in `taken`.
struct TextWithoutRows {
  std::string text;
  std::vector<NumberRows> taken;
};

// kData naming place and line for a value of such a key that is no array of rows of its width, and for text
// nested deeper than 64 levels. The rest of the text is not looked at.
TextWithoutRows take_rows(std::string_view text, const std::vector<RowKey>& keys, const std::string& place);

// Appends a number as short as it reads back.
void append_number(std::string& text, double value);
void append_number(std::string& text, int64_t value);

// A few numbers in a row, put together faster than in a string.
class NumberLine {
 public:
  void put(char c) { *end_++ = c; }
  void put_number(int64_t value);
  void put_tenths(double value);  // rounded to one digit behind the point
  std::string_view text() const { return {buffer_, static_cast<size_t>(end_ - buffer_)}; }

 private:
  char buffer_[192];  // five numbers of at most 22 characters, and what is between them
  char* end_ = buffer_;
};

}  // namespace uir
