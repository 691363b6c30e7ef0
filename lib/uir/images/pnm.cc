#include "uir/images/pnm.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "uir/base/error.h"
#include "uir/images/header_bytes.h"

namespace uir {
namespace {

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_line_end(char c) { return c == '\n' || c == '\r'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

[[noreturn]] void fail_malformed() { fail(ErrorKind::kData, "its PNM header is malformed"); }

// Goes through text: numbers between white space and comments.
class PnmText {
 public:
  PnmText(std::string_view text, size_t at) : text_(text), at_(at) {}

  size_t at() const { return at_; }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  char next() { return at_ < text_.size() ? text_[at_++] : '\0'; }

  void skip_space() {
    while (at_ < text_.size() && (is_space(text_[at_]) || text_[at_] == '#')) skip_one();
  }
  // One character, or a comment without the end of its line.
  void skip_one() {
    if (text_[at_] != '#') {
      ++at_;
      return;
    }
    while (at_ < text_.size() && !is_line_end(text_[at_])) ++at_;
  }
  // A number, -1 if there is none.
  int64_t number() {
    skip_space();
    if (!is_digit(peek())) return -1;
    int64_t value = 0;
    const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    at_ = static_cast<size_t>(end - text_.data());
    return error == std::errc() ? value : -1;
  }

 private:
  std::string_view text_;
  size_t at_;
};

int64_t header_number(PnmText& text) {
  const int64_t value = text.number();
  if (value < 0 || (!is_space(text.peek()) && text.peek() != '#')) fail_malformed();
  return value;
}

int64_t values_of(const PnmHeader& header) {
  return int64_t{header.size.width} * header.size.height * (header.is_colour() ? 3 : 1);
}

// Of text: a digit each, and but for bitmaps something between them.
int64_t least_bytes(const PnmHeader& header) {
  const int64_t values = values_of(header);
  if (header.kind == '1') return values;
  if (header.is_text()) return 2 * values - 1;
  if (header.kind == '4') return (int64_t{header.size.width} + 7) / 8 * header.size.height;
  return header.maxval > 255 ? 2 * values : values;
}

uint8_t scaled(int64_t value, uint32_t maxval) {
  if (value > int64_t{maxval})
    fail(ErrorKind::kData, "it has the value ", value, ", and its header says at most ", maxval);
  return static_cast<uint8_t>((510 * value + maxval) / (2 * int64_t{maxval}));
}

// next() gives one value after the other, from 0 to 255.
template <class Next>
void fill(const PnmHeader& header, Next&& next, uint8_t* rgb) {
  const uint8_t* const end = rgb + header.size.num_bytes();
  for (; rgb != end; rgb += 3) {
    rgb[0] = next();
    rgb[1] = header.is_colour() ? next() : rgb[0];
    rgb[2] = header.is_colour() ? next() : rgb[0];
  }
}

void decode_text(std::string_view pnm, const PnmHeader& header, uint8_t* rgb) {
  PnmText text(pnm, header.pixels_at);
  const auto check = [&](bool good) {
    if (!good) fail(ErrorKind::kData, "a value is missing or no number, after ", text.at(), " bytes");
  };
  if (header.is_bitmap()) {  // digits need not stand apart
    const auto bit = [&] {
      text.skip_space();
      const char digit = text.next();
      check(digit == '0' || digit == '1');
      return static_cast<uint8_t>(digit == '0' ? 255 : 0);
    };
    return fill(header, bit, rgb);
  }
  const auto number = [&] {
    const int64_t value = text.number();
    check(value >= 0);
    return scaled(value, header.maxval);
  };
  fill(header, number, rgb);
}

// Eight pixels a byte, the first in its highest bit; rows begin with a byte.
void decode_bits(Bytes bits, const PnmHeader& header, uint8_t* rgb) {
  const auto width = static_cast<size_t>(header.size.width);
  const size_t stride = (width + 7) / 8;
  size_t pixel = 0;
  const auto bit = [&] {
    const size_t x = pixel % width, y = pixel / width;
    ++pixel;
    const bool black = std::to_integer<uint32_t>(bits[y * stride + x / 8]) >> (7 - x % 8) & 1;
    return static_cast<uint8_t>(black ? 0 : 255);
  };
  fill(header, bit, rgb);
}

void decode_binary(Bytes values, const PnmHeader& header, uint8_t* rgb) {
  const std::byte* at = values.data();
  if (header.maxval > 255) {
    const auto two_bytes = [&] {
      const uint32_t value = std::to_integer<uint32_t>(at[0]) << 8 | std::to_integer<uint32_t>(at[1]);
      at += 2;
      return scaled(value, header.maxval);
    };
    return fill(header, two_bytes, rgb);
  }
  fill(
      header, [&] { return scaled(std::to_integer<uint8_t>(*at++), header.maxval); }, rgb);
}

}  // namespace

bool is_pnm(Bytes encoded) {
  const std::string_view text = as_text(encoded);
  return text.size() > 2 && text[0] == 'P' && text[1] >= '1' && text[1] <= '6' &&
         (is_space(text[2]) || text[2] == '#');
}

PnmHeader read_pnm_header(Bytes pnm) {
  PnmText text(as_text(pnm), 2);
  PnmHeader header;
  header.kind = as_text(pnm)[1];
  const int64_t width = header_number(text);
  header.size = checked_size(width, header_number(text));
  if (!header.is_bitmap()) {
    const int64_t maxval = header_number(text);
    if (maxval < 1 || maxval > 65535)
      fail(ErrorKind::kData, "its header says values up to ", maxval, "; a PNM has 1 to 65535");
    header.maxval = static_cast<uint32_t>(maxval);
  }
  if (text.peek() == '#') text.skip_one();  // up to its line's end, which is the one white space
  header.pixels_at = text.at() + 1;
  check_whole(pnm, static_cast<int64_t>(header.pixels_at) + least_bytes(header));
  return header;
}

void decode_pnm(Bytes pnm, const PnmHeader& header, uint8_t* rgb) {
  if (header.is_text()) return decode_text(as_text(pnm), header, rgb);
  const Bytes values = pnm.subspan(header.pixels_at);
  header.is_bitmap() ? decode_bits(values, header, rgb) : decode_binary(values, header, rgb);
}

}  // namespace uir
