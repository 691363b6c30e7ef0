#include "uir/data/shard_names.h"

#include <glob.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string_view>

#include "uir/base/error.h"
#include "uir/data/missing_files.h"
#include "uir/formats/text_lines.h"

namespace uir {
namespace {

constexpr int64_t kMaxShards = 1'000'000;

[[noreturn]] void refuse_many(std::string_view pattern) {
  fail(ErrorKind::kConfig, pattern, ": names more than ", kMaxShards, " shards");
}

bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// "000..123": its numbers; none if it is no such range.
std::vector<std::string> numbers_of(std::string_view range) {
  const size_t dots = range.find("..");
  if (dots == std::string_view::npos) return {};
  const std::string_view from = range.substr(0, dots), to = range.substr(dots + 2);
  const auto first = parse_number<int64_t>(from), last = parse_number<int64_t>(to);
  if (!is_digits(from) || !is_digits(to) || !first || !last) return {};
  if (std::max(*first, *last) - std::min(*first, *last) >= kMaxShards) refuse_many(range);
  // Zeros in front of either end ask for one width.
  const bool padded = (from[0] == '0' && from.size() > 1) || (to[0] == '0' && to.size() > 1);
  const size_t width = padded ? std::max(from.size(), to.size()) : 0;
  std::vector<std::string> numbers;
  for (int64_t i = *first;; i += *first <= *last ? 1 : -1) {
    std::string number = std::to_string(i);
    number.insert(0, width - std::min(width, number.size()), '0');
    numbers.push_back(std::move(number));
    if (i == *last) return numbers;
  }
}

// "a,{b,c}": a and {b,c}; none without a comma outside of inner braces.
std::vector<std::string> alternatives_of(std::string_view list) {
  std::vector<std::string> alternatives(1);
  int depth = 0;
  for (const char c : list) {
    depth += c == '{' ? 1 : c == '}' ? -1 : 0;
    if (c == ',' && depth == 0) {
      alternatives.emplace_back();
    } else {
      alternatives.back() += c;
    }
  }
  if (alternatives.size() == 1) return {};
  return alternatives;
}

// The brace that closes the one at `open`.
size_t closing_brace(std::string_view text, size_t open) {
  int depth = 0;
  for (size_t i = open; i < text.size(); ++i) {
    depth += text[i] == '{' ? 1 : text[i] == '}' ? -1 : 0;
    if (depth == 0) return i;
  }
  return std::string_view::npos;
}

void expand(const std::string& text, size_t from, std::vector<std::string>& expanded) {
  const size_t open = text.find('{', from), close = closing_brace(text, std::min(open, text.size()));
  if (open == std::string::npos || close == std::string::npos) {
    if (std::ssize(expanded) == kMaxShards) refuse_many(text);
    expanded.push_back(text);
    return;
  }
  const std::string inner = text.substr(open + 1, close - open - 1);
  std::vector<std::string> choices = numbers_of(inner);
  if (choices.empty()) choices = alternatives_of(inner);
  if (choices.empty()) return expand(text, open + 1, expanded);  // braces of the name itself
  for (const std::string& choice : choices)
    expand(text.substr(0, open) + choice + text.substr(close + 1), open, expanded);
}

bool exists(const std::string& path) {
  std::error_code error;
  return fs::exists(path, error);
}

// The files that match, in byte order.
std::vector<fs::path> matches_of(const std::string& pattern) {
  ::glob_t found{};
  const std::unique_ptr<::glob_t, decltype(&::globfree)> guard(&found, ::globfree);
  const int result = ::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found);
  if (result == GLOB_NOSPACE) fail(ErrorKind::kIo, pattern, ": no memory to list the files that match");
  std::vector<fs::path> files;
  if (result == 0) files.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  std::ranges::sort(files, {}, [](const fs::path& path) -> const std::string& { return path.native(); });
  return files;
}

}  // namespace

std::vector<std::string> expand_braces(const std::string& pattern) {
  std::vector<std::string> expanded;
  expand(pattern, 0, expanded);
  return expanded;
}

std::vector<fs::path> shard_files(const std::string& pattern) {
  if (exists(pattern)) return {pattern};
  std::vector<fs::path> files;
  MissingFiles missing;
  for (const std::string& name : expand_braces(pattern)) {
    if (exists(name)) {
      files.emplace_back(name);
    } else if (const std::vector<fs::path> matches = matches_of(name); !matches.empty()) {
      files.insert(files.end(), matches.begin(), matches.end());
    } else {
      const bool wild = name.find_first_of("*?[") != std::string::npos;
      missing.add([&] { return name + (wild ? ": no file matches" : ": no such file"); });
    }
  }
  missing.refuse("put these shards there, or correct `shards`");
  return files;
}

}  // namespace uir
