#include "uir/eval/parallel_lines.h"

#include "uir/base/error.h"

namespace uir {
namespace {

constexpr size_t kChunk = size_t{1} << 20;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

int64_t count_lines(std::string_view text) {
  int64_t lines = 0;
  for (size_t begin = 0; begin < text.size(); ++lines) {
    const size_t end = text.find('\n', begin);
    if (end == std::string_view::npos) return lines + 1;
    begin = end + 1;
  }
  return lines;
}

bool is_blank(char c) { return c == ' ' || c == '\t'; }

void skip_blanks(std::string_view& text) {
  size_t blanks = 0;
  while (blanks < text.size() && is_blank(text[blanks])) ++blanks;
  text.remove_prefix(blanks);
}

}  // namespace

ParallelLines::ParallelLines(const fs::path& path, int threads) : file_(path), threads_(threads) {
  std::string_view text = as_text(file_.bytes());
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  text = text.substr(0, text.find_last_not_of(" \t\r\n") + 1);
  while (!text.empty()) {
    const size_t end =
        text.size() <= kChunk ? text.size() : std::min(text.find('\n', kChunk), text.size() - 1) + 1;
    chunks_.push_back({text.substr(0, end)});
    text.remove_prefix(end);
  }
  parallel_blocks(static_cast<int64_t>(chunks_.size()), 1, threads_,
                  [&](int64_t c, int64_t) { chunks_[c].lines = count_lines(chunks_[c].text); });
  for (size_t c = 1; c < chunks_.size(); ++c)
    chunks_[c].first_line = chunks_[c - 1].first_line + chunks_[c - 1].lines;
}

std::string ParallelLines::place(int64_t i) const { return concat(path().string(), ": line ", i + 1); }

void ParallelLines::refuse(int64_t i, std::string_view found, std::string_view expected) const {
  constexpr size_t kShown = 80;  // of a line that may be a whole binary file
  fail(ErrorKind::kData, place(i), ": found '", found.substr(0, kShown), found.size() > kShown ? "..." : "",
       "', expected ", expected);
}

int64_t take_number(std::string_view& text) {
  constexpr size_t kMaxDigits = 18;
  int64_t value = 0;
  size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') {
    if (digits == kMaxDigits) return -1;
    value = value * 10 + (text[digits++] - '0');
  }
  if (digits == 0 || (digits < text.size() && !is_blank(text[digits]))) return -1;
  text.remove_prefix(digits);
  skip_blanks(text);
  return value;
}

std::string_view take_field(std::string_view& text) {
  const size_t end = std::min(text.find_first_of(" \t"), text.size());
  const std::string_view field = text.substr(0, end);
  text.remove_prefix(end);
  skip_blanks(text);
  return field;
}

}  // namespace uir
