#include "uir/report/markup.h"

#include <algorithm>
#include <array>

#include "uir/base/error.h"
#include "uir/base/text.h"

namespace uir {
namespace {

constexpr std::array<std::string_view, 6> kEmptyElements{"br", "hr", "img", "link", "meta", "wbr"};

}  // namespace

std::string escape_markup(std::string_view text) {
  std::string escaped;
  while (!text.empty()) {
    const size_t length = utf8_length(text);
    const char c = text.front();
    const bool control = is_control(c) && c != '\n' && c != '\t';
    // U+FFFE and U+FFFF are UTF-8, but no XML.
    const bool no_character =
        length == 3 && (text.starts_with("\xEF\xBF\xBE") || text.starts_with("\xEF\xBF\xBF"));
    if (no_character) {
      escaped += "\xEF\xBF\xBD";  // U+FFFD
    } else if (length == 0 || control) {
      escaped += readable(text.substr(0, 1));
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
