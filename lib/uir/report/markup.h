// Writes HTML and SVG as well-formed XML: elements close in order, and all text and attribute values are
// escaped.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace uir {

// For text and for attributes in double quotes. Bytes that are no UTF-8 and control characters are shown as
// readable() (base/text.h) shows them: neither XML nor browsers take them.
std::string escape_markup(std::string_view text);

class Markup {
 public:
  using Attributes = std::initializer_list<std::pair<std::string_view, std::string>>;

  void open(std::string_view tag, Attributes attributes = {});
  void close();  // the innermost open element; kInternal if there is none
  void text(std::string_view text);
  // An element with nothing but text in it. Elements that HTML forbids to have content are written as <br/>.
  void element(std::string_view tag, Attributes attributes = {}, std::string_view text = {});
  // As it is: for style sheets, scripts and data of our own, never for a user's text.
  void raw(std::string_view markup) { out_ += markup; }

  // The document. kInternal if an element is still open.
  std::string take();

 private:
  void begin(std::string_view tag, Attributes attributes);

  std::string out_;
  std::vector<std::string> open_;
};

// An element that is open while this object lives.
class Element {
 public:
  Element(Markup& out, std::string_view tag, Markup::Attributes attributes = {}) : out_(out) {
    out_.open(tag, attributes);
  }
  ~Element() { out_.close(); }
  Element(const Element&) = delete;
  Element& operator=(const Element&) = delete;

 private:
  Markup& out_;
};

}  // namespace uir
