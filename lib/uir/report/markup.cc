#include "uir/report/markup.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "uir/base/error.h"

namespace uir {
namespace {

constexpr std::array<std::string_view, 6> kEmptyElements{"br", "hr", "img", "link", "meta", "wbr"};
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// The length of the UTF-8 sequence at the start of the text; 0 where it is none.
size_t utf8_length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  const size_t length = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first >= 0x80 && (first < 0xC2 || first > 0xF4)) return 0;
  if (text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  if (length == 3 && ((first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) > 0x9F))) return 0;
  if (length == 4 && ((first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) > 0x8F))) return 0;
  return length;
}

}  // namespace

std::string escape_markup(std::string_view text) {
  std::string escaped;
  while (!text.empty()) {
    const size_t length = utf8_length(text);
    const char c = text.front();
    const bool control =
        length == 1 && (static_cast<uint8_t>(c) < 0x20 || c == 0x7F) && c != '\n' && c != '\t';
    // U+FFFE and U+FFFF are UTF-8, but no XML.
    const bool no_character =
        length == 3 && (text.starts_with("\xEF\xBF\xBE") || text.starts_with("\xEF\xBF\xBF"));
    if (length == 0 || control || no_character) {
      escaped += kReplacement;
    } else if (c == '<') {
      escaped += "&lt;";
    } else if (c == '>') {
      escaped += "&gt;";
    } else if (c == '&') {
      escaped += "&amp;";
    } else if (c == '"') {
      escaped += "&quot;";
    } else {
      escaped += text.substr(0, length);
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return escaped;
}

void Markup::begin(std::string_view tag, Attributes attributes) {
  out_ += '<';
  out_ += tag;
  for (const auto& [name, value] : attributes) {
    out_ += concat(" ", name, "=\"", escape_markup(value), "\"");
  }
}

void Markup::open(std::string_view tag, Attributes attributes) {
  begin(tag, attributes);
  out_ += '>';
  open_.emplace_back(tag);
}

void Markup::close() {
  ensure(!open_.empty(), "an element is open where one is closed");
  const bool cell = open_.back() == "td" || open_.back() == "th";
  out_ += concat("</", open_.back(), cell ? ">" : ">\n");
  open_.pop_back();
}

void Markup::text(std::string_view text) { out_ += escape_markup(text); }

void Markup::element(std::string_view tag, Attributes attributes, std::string_view content) {
  begin(tag, attributes);
  if (std::ranges::count(kEmptyElements, tag) > 0) {
    out_ += "/>";
  } else {
    out_ += concat(">", escape_markup(content), "</", tag, ">");
  }
}

std::string Markup::take() {
  ensure(open_.empty(), "all elements of a document are closed");
  return std::move(out_);
}

}  // namespace uir
