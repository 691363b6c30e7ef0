#include "uir/formats/csv.h"

#include <algorithm>

namespace uir {
namespace {

constexpr size_t kShown = 80;  // of a line that may be a whole binary file

std::string joined(const std::vector<std::string_view>& names) {
  std::string text;
  for (const std::string_view name : names) text += concat(text.empty() ? "" : ",", name);
  return text;
}

}  // namespace

CsvReader::CsvReader(const fs::path& path, const std::vector<std::string_view>& wanted, char separator)
    : file_(path), separator_(separator), rest_(as_text(file_.bytes())) {
  if (rest_.starts_with("\xef\xbb\xbf")) rest_.remove_prefix(3);
  const std::string_view begin = rest_.substr(0, rest_.find_first_of("\r\n")).substr(0, kShown);
  if (!read_row()) refuse("an empty file; expected the header ", joined(wanted));
  for (const std::string_view column : wanted) {
    const auto count = std::ranges::count(fields_, column);
    if (count == 1) continue;
    refuse("the header '", begin, "' has ", count == 0 ? "no column" : "several columns", " '", column,
           "'; expected the columns ", joined(wanted), " in its first line, with ",
           separator_ == ',' ? "commas" : "tabs", " between them");
  }
  for (const std::string_view column : wanted) {
    columns_.push_back(static_cast<size_t>(std::ranges::find(fields_, column) - fields_.begin()));
  }
  width_ = fields_.size();
  first_column_ = fields_.front();
}

bool CsvReader::next() {
  if (!read_row()) return false;
  if (fields_.size() != width_) {
    refuse(fields_.size(), " fields, the header has ", width_, "; a field with a ",
           separator_ == ',' ? "comma" : "tab", " in it stands in quotes (\"…\")");
  }
  return true;
}

bool CsvReader::read_row() {
  while (!rest_.empty() && at_line_end()) end_line();
  row_line_ = line_;
  if (rest_.empty()) return false;
  fields_.clear();
  while (true) {
    fields_.push_back(read_field());
    if (fields_.back().find('\0') != std::string::npos)
      refuse("contains a zero byte; this is not a text file");
    if (at_line_end()) break;
    rest_.remove_prefix(1);  // the comma
  }
  end_line();
  return true;
}

std::string CsvReader::read_field() {
  if (rest_.starts_with('"')) return read_quoted_field();
  std::string field(rest_.substr(0, rest_.find_first_of(std::string{separator_, '"', '\n'})));
  rest_.remove_prefix(field.size());
  if (rest_.starts_with('"')) {
    refuse(
        "a quote within a field that does not begin with one; write the field in quotes, and the quote "
        "itself twice");
  }
  if (!rest_.starts_with(separator_) && field.ends_with('\r')) field.pop_back();  // of the line's end
  return field;
}

std::string CsvReader::read_quoted_field() {
  std::string field;
  do {
    rest_.remove_prefix(1);  // the first quote, or the second of a doubled one
    const size_t end = rest_.find('"');
    if (end == std::string_view::npos) refuse("a quote is opened that nothing closes");
    field += rest_.substr(0, end);
    line_ += std::ranges::count(rest_.substr(0, end), '\n');
    rest_.remove_prefix(end + 1);
    if (rest_.starts_with('"')) field += '"';
  } while (rest_.starts_with('"'));
  if (!at_line_end() && !rest_.starts_with(separator_)) {
    refuse(
        "text behind a closing quote; expected a separator or the line's end (a quote within quotes is "
        "written twice)");
  }
  return field;
}

bool CsvReader::at_line_end() const {
  return rest_.empty() || rest_.starts_with('\n') || rest_.starts_with("\r\n") || rest_ == "\r";
}

void CsvReader::end_line() {
  const size_t end = rest_.find('\n');
  if (end == std::string_view::npos) {
    rest_ = {};
    return;
  }
  rest_.remove_prefix(end + 1);
  ++line_;
}

}  // namespace uir
