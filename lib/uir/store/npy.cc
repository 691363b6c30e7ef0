#include <bit>
#include <charconv>
#include <cstring>
#include <set>

#include "uir/store/embedding_store.h"

namespace uir {
namespace {

static_assert(std::endian::native == std::endian::little, "the arrays are mapped as they are: little-endian");

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kAlignment = 64;

// Strict reader of the header: the Python literal {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4),
// }.
class HeaderReader {
 public:
  HeaderReader(const fs::path& path, std::string_view text) : path_(path), text_(text) {}

  // Rows and columns.
  std::pair<int64_t, int64_t> read() {
    expect("{");
    while (!accept("}")) {
      const std::string_view key = quoted();
      if (!seen_.insert(key).second) refuse(concat("repeated key '", key, "'"));
      expect(":");
      read_value(key);
      if (!accept(",") && !next_is("}")) refuse("expected ',' or '}'");
    }
    skip_space();
    if (at_ != text_.size()) refuse("text after the closing brace");
    if (seen_.size() != 3) refuse("expected the keys descr, fortran_order and shape");
    return shape_;
  }

 private:
  void read_value(std::string_view key) {
    if (key == "descr") {
      const std::string_view type = quoted();
      if (type != "<f4")
        refuse(concat("data type '", type,
                      "'; expected '<f4' (little-endian float32): save it with array.astype(\"<f4\")"));
    } else if (key == "fortran_order") {
      if (accept("True")) refuse("Fortran order; expected C order");
      expect("False");
    } else if (key == "shape") {
      read_shape();
    } else {
      refuse(concat("unknown key '", key, "'"));
    }
  }

  void read_shape() {
    expect("(");
    std::vector<int64_t> sizes;
    while (!accept(")")) {
      sizes.push_back(number());
      if (!accept(",") && !next_is(")")) refuse("expected ',' or ')' in the shape");
    }
    if (sizes.size() != 2) refuse(concat(sizes.size(), " dimensions; expected 2 (rows, columns)"));
    shape_ = {sizes[0], sizes[1]};
  }

  int64_t number() {
    skip_space();
    int64_t value = -1;
    const char* end = text_.data() + text_.size();
    const auto [stop, error] = std::from_chars(text_.data() + at_, end, value);
    if (error != std::errc() || value < 0) refuse("expected a size in the shape");
    at_ = static_cast<size_t>(stop - text_.data());
    return value;
  }

  std::string_view quoted() {
    skip_space();
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    const size_t end = text_.find(quote, at_ + 1);
    if ((quote != '\'' && quote != '"') || end == std::string_view::npos) refuse("expected a quoted word");
    const std::string_view word = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return word;
  }

  bool next_is(std::string_view token) {
    skip_space();
    return text_.substr(at_).starts_with(token);
  }
  bool accept(std::string_view token) {
    const bool found = next_is(token);
    if (found) at_ += token.size();
    return found;
  }
  void expect(std::string_view token) {
    if (!accept(token)) refuse(concat("expected '", token, "'"));
  }
  void skip_space() { at_ = std::min(text_.find_first_not_of(" \n", at_), text_.size()); }

  [[noreturn]] void refuse(const std::string& what) const {
    fail(ErrorKind::kData, path_.string(), ": NumPy header, character ", at_, ": ", what);
  }

  const fs::path& path_;
  std::string_view text_;
  size_t at_ = 0;
  std::set<std::string_view> seen_;
  std::pair<int64_t, int64_t> shape_;
};

// Where the header's text and the data begin.
struct Prefix {
  size_t text = 0, data = 0;
};

Prefix read_prefix(const fs::path& path, std::string_view bytes) {
  if (!bytes.starts_with(kMagic))
    fail(ErrorKind::kData, path.string(), ": not a NumPy file (wrong magic bytes)");
  if (bytes.size() < kMagic.size() + 2)
    fail(ErrorKind::kData, path.string(), ": ends within the NumPy header");
  const int major = static_cast<unsigned char>(bytes[6]), minor = static_cast<unsigned char>(bytes[7]);
  if (major < 1 || major > 3 || minor != 0) {
    fail(ErrorKind::kData, path.string(), ": NumPy format ", major, ".", minor, "; expected 1.0, 2.0 or 3.0");
  }
  const size_t length_bytes = major == 1 ? 2 : 4, text = 8 + length_bytes;
  uint32_t length = 0;
  if (bytes.size() >= text) std::memcpy(&length, bytes.data() + 8, length_bytes);
  if (bytes.size() < text + length) fail(ErrorKind::kData, path.string(), ": ends within the NumPy header");
  return {text, text + length};
}

// The bytes of a rows x cols array; kData if the product overflows.
uint64_t array_bytes(const fs::path& path, int64_t rows, int64_t cols) {
  uint64_t bytes = 0;
  if (__builtin_mul_overflow(static_cast<uint64_t>(rows), static_cast<uint64_t>(cols), &bytes) ||
      __builtin_mul_overflow(bytes, sizeof(float), &bytes)) {
    fail(ErrorKind::kData, path.string(), ": shape (", rows, ", ", cols, ") is larger than any memory");
  }
  return bytes;
}

}  // namespace

MappedMatrix open_npy(const fs::path& path) {
  MappedFile file(path);
  const std::string_view bytes = as_text(file.bytes());
  const Prefix prefix = read_prefix(path, bytes);
  const auto [rows, cols] = HeaderReader(path, bytes.substr(prefix.text, prefix.data - prefix.text)).read();
  const uint64_t expected = array_bytes(path, rows, cols), found = bytes.size() - prefix.data;
  if (found != expected) {
    fail(ErrorKind::kData, path.string(), ": ", found, " bytes of data; shape (", rows, ", ", cols,
         ") needs ", expected);
  }
  if (prefix.data % alignof(float) != 0) {
    fail(ErrorKind::kData, path.string(), ": the data begin at byte ", prefix.data,
         ", not at a multiple of 4");
  }
  return {std::move(file), {reinterpret_cast<const float*>(bytes.data() + prefix.data), rows, cols}};
}

std::string npy_header(int64_t rows, int64_t cols) {
  std::string text = concat("{'descr': '<f4', 'fortran_order': False, 'shape': (", rows, ", ", cols, "), }");
  const size_t prefix = kMagic.size() + 4, unpadded = prefix + text.size() + 1;
  text.append((kAlignment - unpadded % kAlignment) % kAlignment, ' ');
  text += '\n';
  const auto length = static_cast<uint16_t>(text.size());
  const char length_bytes[2] = {static_cast<char>(length & 0xff), static_cast<char>(length >> 8)};
  return concat(kMagic, std::string_view("\x01\x00", 2), std::string_view(length_bytes, 2), text);
}

}  // namespace uir
