#include "uir/report/number_meaning.h"

#include <cctype>
#include <cmath>
#include <cstdio>

namespace uir {
namespace {

bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

bool begins_with(std::string_view number, std::string_view name) {
  if (!number.starts_with(name)) return false;
  return number.size() == name.size() || number[name.size()] == '_' || is_digit(number[name.size()]);
}

std::string print(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

}  // namespace

std::string_view without_gallery(std::string_view number) {
  const size_t point = number.find('.');
  const bool gallery =
      point != std::string_view::npos && point + 1 < number.size() && !is_digit(number[point + 1]);
  return gallery ? number.substr(point + 1) : number;
}

const NamedMeaning* family_of(std::string_view number, std::span<const NamedMeaning> known) {
  const std::string_view name = without_gallery(number);
  const NamedMeaning* found = nullptr;
  for (const NamedMeaning& one : known) {
    if (begins_with(name, one.name) && (!found || one.name.size() > found->name.size())) found = &one;
  }
  return found;
}

NumberMeaning meaning_of(std::string_view number, std::span<const NamedMeaning> known) {
  if (number.ends_with("threshold")) return {};  // a score, of whatever rate
  const NamedMeaning* family = family_of(number, known);
  return family ? family->meaning : NumberMeaning{};
}

std::string_view to_string(Better better) {
  switch (better) {
    case Better::kHigher:
      return "higher";
    case Better::kLower:
      return "lower";
    case Better::kNone:
      break;
  }
  return "none";
}

std::string format_number(double value, const NumberMeaning& meaning) {
  if (std::isnan(value)) return "undefined";
  if (!meaning.rate) return short_number(value, 6);
  const double percent = 100 * value;
  const bool tiny = percent != 0 && std::abs(percent) < 0.01;  // four decimals would hide it
  return print(tiny ? "%.3g %%" : "%.4f %%", percent);
}

std::string format_interval(double low, double high, const NumberMeaning& meaning) {
  constexpr int kDigits = 5;
  const double unit = meaning.rate ? 100 : 1;
  return short_number(unit * low, kDigits) + " to " + short_number(unit * high, kDigits) +
         (meaning.rate ? " %" : "");
}

std::string format_published(double value, const NumberMeaning& meaning) {
  return meaning.rate ? short_number(100 * value, 8) + " %" : short_number(value, 8);
}

std::string format_difference(double difference, const NumberMeaning& meaning) {
  if (std::isnan(difference)) return "";
  if (difference == 0) return "=";
  if (!meaning.rate) return print("%+.4g", difference);
  const double points = 100 * difference;
  return print(std::abs(points) < 0.001 ? "%+.2g pp" : "%+.3f pp", points);
}

std::string signed_number(double value) { return print("%+.3g", value); }

std::string short_number(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*g", digits, value);
  return text;
}

}  // namespace uir
