#include "uir/timeline/clock.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace uir {
namespace {

// a * b / c to the nearest, halves upwards; the product may be larger than 64 bits.
int64_t scaled(int64_t a, int64_t b, int64_t c) {
  const __int128 twice = static_cast<__int128>(a) * b * 2 + c;
  __int128 quotient = twice / (2 * static_cast<__int128>(c));
  if (twice % (2 * static_cast<__int128>(c)) < 0) --quotient;
  return static_cast<int64_t>(quotient);
}

template <class... Values>
std::string printed(const char* format, Values... values) {
  std::array<char, 96> text{};
  std::snprintf(text.data(), text.size(), format, values...);
  return text.data();
}

// A number without sign, exponent or space; none otherwise.
std::optional<double> plain_number(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789.") != std::string_view::npos) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

double seconds_of(int64_t ticks, int64_t ticks_per_second) {
  return static_cast<double>(ticks) / static_cast<double>(ticks_per_second);
}

int64_t ticks_of(double seconds, int64_t ticks_per_second) {
  return std::llround(seconds * static_cast<double>(ticks_per_second));
}

int64_t milliseconds_of(int64_t ticks, int64_t ticks_per_second) {
  return scaled(ticks, 1000, ticks_per_second);
}

std::string seconds_text(int64_t ticks, int64_t ticks_per_second, int digits) {
  int64_t unit = 1;
  for (int i = 0; i < digits; ++i) unit *= 10;
  const int64_t value = scaled(ticks, unit, ticks_per_second);
  const auto size = static_cast<long long>(std::abs(value));
  return printed("%s%lld.%0*lld", value < 0 ? "-" : "", size / unit, digits, size % unit);
}

std::string clock_text(int64_t milliseconds) {
  const auto size = static_cast<long long>(std::abs(milliseconds));
  return printed("%s%02lld:%02lld:%02lld.%03lld", milliseconds < 0 ? "-" : "", size / 3600000,
                 size / 60000 % 60, size / 1000 % 60, size % 1000);
}

std::optional<double> parse_clock(std::string_view text) {
  double seconds = 0;
  for (int part = 0; part < 3; ++part) {
    const size_t colon = text.find(':');
    const bool last = colon == std::string_view::npos;
    const std::string_view digits = text.substr(0, colon);
    const auto value = plain_number(digits);
    if (!value || (!last && digits.find('.') != std::string_view::npos)) return std::nullopt;
    if (part > 0 && *value >= 60) return std::nullopt;
    seconds = seconds * 60 + *value;
    if (last) return seconds;
    text.remove_prefix(colon + 1);
  }
  return std::nullopt;
}

int64_t FrameClock::nominal() const { return std::max<int64_t>(1, (rate_num + rate_den / 2) / rate_den); }

bool FrameClock::drops() const {
  const int64_t per_second = nominal();
  return (per_second == 30 || per_second == 60) && rate_num * 1001 == per_second * 1000 * rate_den;
}

int64_t FrameClock::frame_of(int64_t ticks, int64_t ticks_per_second) const {
  return scaled(ticks, rate_num, ticks_per_second * rate_den);
}

std::string FrameClock::code(int64_t frame) const {
  const int64_t per_second = nominal();
  if (drops()) {
    const int64_t left_out = per_second / 15;  // numbers a minute
    const int64_t in_minute = per_second * 60 - left_out;
    const int64_t in_ten = in_minute * 10 + left_out;
    const int64_t rest = frame % in_ten;
    frame += frame / in_ten * 9 * left_out;
    if (rest >= per_second * 60) frame += ((rest - per_second * 60) / in_minute + 1) * left_out;
  }
  const int64_t seconds = frame / per_second;
  return printed("%02d:%02d:%02d%c%02d", static_cast<int>(seconds / 3600 % 24),
                 static_cast<int>(seconds / 60 % 60), static_cast<int>(seconds % 60), drops() ? ';' : ':',
                 static_cast<int>(frame % per_second));
}

int64_t FrameClock::frame_at(int64_t hours, int64_t minutes, int64_t seconds, int64_t frames) const {
  const int64_t all_minutes = hours * 60 + minutes;
  const int64_t left_out = drops() ? nominal() / 15 : 0;
  return (all_minutes * 60 + seconds) * nominal() + frames - left_out * (all_minutes - all_minutes / 10);
}

}  // namespace uir
