#include "uir/timeline/number_rows.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>

#include "uir/base/error.h"

namespace uir {
namespace {

constexpr int kDeepest = 64;

class Scanner {
 public:
  Scanner(std::string_view text, const std::vector<RowKey>& keys, const std::string& place)
      : text_(text), keys_(keys), place_(place) {}

  TextWithoutRows run() {
    int depth = 0;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '{' || c == '[') ++depth;
      if (c == '}' || c == ']') --depth;
      if (depth > kDeepest) refuse(concat("JSON nested deeper than ", kDeepest, " levels"));
      if (c == '"') string();
    }
    result_.text += text_.substr(copied_);
    return std::move(result_);
  }

 private:
  // Behind the opening quote.
  void string() {
    const size_t begin = at_;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    at_ = std::min(at_, text_.size());
    const std::string_view key = text_.substr(begin, at_ - begin);
    if (at_ < text_.size()) ++at_;
    const auto found =
        std::find_if(keys_.begin(), keys_.end(), [&](const RowKey& k) { return k.key == key; });
    if (found == keys_.end()) return;
    const size_t behind = at_;
    if (!eat(':')) {
      at_ = behind;  // a value
      return;
    }
    space();
    result_.text += text_.substr(copied_, at_ - copied_);
    append_number(result_.text, static_cast<int64_t>(result_.taken.size()));
    result_.taken.push_back(rows(*found));
    copied_ = at_;
  }

  NumberRows rows(const RowKey& key) {
    NumberRows result{.width = key.width, .numbers = {}};
    need('[', key);
    if (eat(']')) return result;
    do {
      need('[', key);
      for (size_t i = 0; i < key.width; ++i) {
        if (i > 0) need(',', key);
        result.numbers.push_back(number(key));
      }
      need(']', key);
    } while (eat(','));
    need(']', key);
    return result;
  }

  double number(const RowKey& key) {
    space();
    double value = 0;
    if (short_decimal(value)) return value;
    const char* const begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (error != std::errc() || !std::isfinite(value)) refuse_rows(key);
    at_ += static_cast<size_t>(end - begin);
    return value;
  }

  // Digits, perhaps a point and more of them, fifteen in all: both parts of the fraction are exact, so its
  // quotient is the nearest double. Three times as fast as from_chars.
  bool short_decimal(double& value) {
    constexpr double kPowers[] = {1,   1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                  1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    int64_t digits = 0;
    size_t at = at_, behind_point = 0, count = 0;
    for (bool point = false; at < text_.size(); ++at) {
      if (text_[at] == '.' && !point && count > 0) {
        point = true;
      } else if (text_[at] >= '0' && text_[at] <= '9') {
        digits = digits * 10 + (text_[at] - '0');
        behind_point += point ? 1 : 0;
        if (++count > 15) return false;
      } else {
        break;
      }
    }
    if (count == 0 || at == text_.size() || text_[at - 1] == '.' || text_[at] == 'e' || text_[at] == 'E' ||
        text_[at] == '.')
      return false;
    value = static_cast<double>(digits) / kPowers[behind_point];
    at_ = at;
    return true;
  }

  void space() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r'))
      ++at_;
  }
  bool eat(char c) {
    space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void need(char c, const RowKey& key) {
    if (!eat(c)) refuse_rows(key);
  }

  [[noreturn]] void refuse_rows(const RowKey& key) const {
    refuse(concat("'", key.key, "' is no array of arrays of ", key.width, " numbers"));
  }
  [[noreturn]] void refuse(const std::string& what) const {
    const auto line =
        1 +
        std::count(text_.begin(), text_.begin() + static_cast<ptrdiff_t>(std::min(at_, text_.size())), '\n');
    fail(ErrorKind::kData, place_, ":", line, ": ", what);
  }

  const std::string_view text_;
  const std::vector<RowKey>& keys_;
  const std::string& place_;
  size_t at_ = 0, copied_ = 0;
  TextWithoutRows result_;
};

template <class T>
void append_chars(std::string& text, T value) {
  char buffer[32];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value);
  ensure(error == std::errc(), "a number has at most 32 characters");
  text.append(buffer, end);
}

}  // namespace

TextWithoutRows take_rows(std::string_view text, const std::vector<RowKey>& keys, const std::string& place) {
  return Scanner(text, keys, place).run();
}

void append_number(std::string& text, double value) { append_chars(text, value); }
void append_number(std::string& text, int64_t value) { append_chars(text, value); }

void NumberLine::put_number(int64_t value) {
  end_ = std::to_chars(end_, buffer_ + sizeof buffer_, value).ptr;
}

void NumberLine::put_tenths(double value) {
  const double tenths = std::floor(std::abs(value) * 10 + .5);
  if (value < 0 && tenths > 0) put('-');
  const auto whole = static_cast<int64_t>(std::min(tenths, 1e17));
  put_number(whole / 10);
  if (whole % 10 == 0) return;
  put('.');
  put(static_cast<char>('0' + whole % 10));
}

}  // namespace uir
