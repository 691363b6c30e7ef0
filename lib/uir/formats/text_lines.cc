#include "uir/formats/text_lines.h"

#include <algorithm>

namespace uir {
namespace {

constexpr uint64_t kDropStep = uint64_t{16} << 20;

}  // namespace

bool TextLines::next() {
  const std::string_view text = as_text(file_.bytes());
  while (position_ < text.size()) {
    line_at(position_);
    position_ = begin_ + raw_line_at(begin_).size() + 1;
    if (line_.find('\0') != std::string_view::npos) refuse("contains a zero byte; this is not a text file");
    if (begin_ - dropped_ > kDropStep) {
      file_.drop(dropped_, begin_ - dropped_);
      dropped_ = begin_;
    }
    if (!line_.empty()) return true;
  }
  return false;
}

std::string_view TextLines::line_at(uint64_t begin) {
  begin_ = begin;
  line_ = raw_line_at(begin);
  if (line_.size() > kMaxLine) refuse("longer than ", kMaxLine, " bytes; this is not a list");
  if (line_.ends_with('\r')) line_.remove_suffix(1);
  return line_;
}

// The line without its end, or more than kMaxLine bytes of it.
std::string_view TextLines::raw_line_at(uint64_t begin) const {
  const std::string_view line = as_text(file_.bytes()).substr(begin, kMaxLine + 1);
  return line.substr(0, line.find('\n'));
}

std::string TextLines::place_at(uint64_t begin) const {
  const std::string_view before = as_text(file_.bytes()).substr(0, begin);
  return concat(path().string(), ":", std::count(before.begin(), before.end(), '\n') + 1);
}

void split(std::string_view text, char separator, bool merge, std::vector<std::string_view>& fields) {
  fields.clear();
  while (true) {
    const size_t end = text.find(separator);
    if (!merge || end != 0) fields.push_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  if (merge && fields.back().empty()) fields.pop_back();
}

}  // namespace uir
