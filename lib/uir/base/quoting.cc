#include "uir/base/quoting.h"

#include <algorithm>

#include "uir/base/text.h"

namespace uir {
namespace {

bool is_one_of(char c, std::string_view also) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         also.find(c) != std::string_view::npos;
}

// In $'…': bytes that a terminal would not carry as \347.
std::string with_escapes(std::string_view name) {
  std::string quoted = "$'";
  while (!name.empty()) {
    const size_t length = utf8_length(name);
    const char c = name.front();
    if (length == 0 || is_control(c)) {
      // Three octal digits end by themselves, \x takes as many digits as follow in some shells.
      const auto byte = static_cast<unsigned char>(c);
      quoted += {'\\', static_cast<char>('0' + byte / 64), static_cast<char>('0' + byte / 8 % 8),
                 static_cast<char>('0' + byte % 8)};
    } else {
      if (c == '\'' || c == '\\') quoted += '\\';
      quoted += name.substr(0, length);
    }
    name.remove_prefix(std::max<size_t>(length, 1));
  }
  return quoted + "'";
}

}  // namespace

std::string shell_quoted(std::string_view name) {
  if (!is_utf8(name) || has_control(name)) return with_escapes(name);
  if (!name.empty() && std::ranges::all_of(name, [](char c) { return is_one_of(c, "-._/:+,@%"); }))
    return std::string(name);
  std::string quoted = "'";
  for (const char c : name) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

std::string url_encoded(std::string_view name) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : name) {
    if (is_one_of(c, "-._~")) {
      encoded += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      encoded += {'%', kDigits[byte / 16], kDigits[byte % 16]};
    }
  }
  return encoded;
}

}  // namespace uir
