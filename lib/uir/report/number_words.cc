#include "uir/report/number_words.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <utility>

#include "uir/base/error.h"
#include "uir/report/html_parts.h"
#include "uir/report/uncertainty_words.h"

namespace uir {
namespace {

constexpr std::string_view kValue = "{value}";

struct Ending {
  std::optional<double> rate;  // or rank
  std::string_view rest;
};

// "_0.001_per_person" -> 0.001, "_per_person"; "5" -> 5, "".
Ending ending_of(std::string_view text) {
  const std::string_view digits = text.starts_with('_') ? text.substr(1) : text;
  double rate = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), rate);
  if (digits.empty() || std::isdigit(static_cast<unsigned char>(digits.front())) == 0 || error != std::errc())
    return {std::nullopt, text};
  return {rate, digits.substr(static_cast<size_t>(end - digits.data()))};
}

void replace_all(std::string_view what, std::string_view with, std::string& text) {
  for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
    text.replace(at, what.size(), with);
}

std::string decimals_of(double value, int decimals) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

// Two digits of what a share in percent is away from none and all; at least one decimal.
int decimals_for(double percent) {
  const double away = std::min(std::abs(percent), std::abs(100 - percent));
  if (away == 0) return 0;
  return std::clamp(1 - static_cast<int>(std::floor(std::log10(away))), 1, 9);
}

// "1e-3", "0.05", "5"
std::string short_rate(double rate) {
  const double exponent = std::round(std::log10(rate));
  const bool power = exponent < 0 && std::abs(rate / std::pow(10, exponent) - 1) < 1e-9;
  return power ? concat("1e", static_cast<int>(exponent)) : short_number(rate, 6);
}

std::string place_of(double rank) {
  return rank == 1 ? "in the first place" : "among the first " + grouped(std::llround(rank));
}

void fill_in(double rate, std::string& text) {
  const std::string words = rate_in_words(rate);
  replace_all("{rate}", words, text);
  replace_all("{is}", words.starts_with("one ") ? "is" : "are", text);
  replace_all("{percent}", short_number(100 * rate, 6) + " %", text);
  replace_all("{place}", place_of(rate), text);
  replace_all("{x}", short_rate(rate), text);
}

}  // namespace

std::string WordedNumber::with(std::string_view value) const {
  std::string text = sentence;
  replace_all(kValue, value, text);
  return text;
}

std::optional<WordedNumber> words_of(std::string_view number, std::span<const NamedMeaning> known) {
  const NamedMeaning* family = family_of(number, known);
  if (!family || family->words.sentence.empty()) return {};
  const std::string_view name = without_gallery(number);
  if (name.size() < number.size() && !number.starts_with("mean.")) return {};
  const Ending ending = ending_of(name.substr(family->name.size()));
  if (ending.rest != family->words.ending) return {};
  WordedNumber words{std::string(family->words.term), std::string(family->words.sentence)};
  if (!ending.rate) return words;
  if (*ending.rate <= 0) return {};
  fill_in(*ending.rate, words.term);
  fill_in(*ending.rate, words.sentence);
  return words;
}

std::string rate_in_words(double rate) {
  if (rate == 1) return "all";
  const double times = std::round(1 / rate);
  if (times > 1 && std::abs(times * rate - 1) < 1e-9) return "one in " + grouped(static_cast<int64_t>(times));
  double of = 10;
  while (of < 1e12 && std::abs(std::round(rate * of) - rate * of) > 1e-6) of *= 10;
  return grouped(std::llround(rate * of)) + " in " + grouped(static_cast<int64_t>(of));
}

std::string value_in_words(double value, const NumberMeaning& meaning) {
  if (!meaning.rate) return short_number(value, 3);
  return decimals_of(100 * value, decimals_for(100 * value)) + " %";
}

std::string value_in_words(double value, const Uncertainty* uncertainty, const NumberMeaning& meaning) {
  const std::string text = value_in_words(value, meaning);
  if (!uncertainty) return text;
  if (!uncertainty->has_interval())
    return uncertainty->resolution == Resolution::kNotResolved ? text + " (not resolved)" : text;
  const double unit = meaning.rate ? 100 : 1;
  const int decimals = meaning.rate ? std::max(1, decimals_for(100 * value)) : 3;
  const std::string weakness = weakness_in_words(*uncertainty);
  return concat(text, " (", decimals_of(unit * uncertainty->low, decimals), " to ",
                decimals_of(unit * uncertainty->high, decimals), meaning.rate ? " %" : "",
                weakness.empty() ? "" : ", ", weakness, ")");
}

}  // namespace uir
