// Times as people and formats write them: clock times, and time codes that count frames.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace uir {

double seconds_of(int64_t ticks, int64_t ticks_per_second);
int64_t ticks_of(double seconds, int64_t ticks_per_second);        // the nearest
int64_t milliseconds_of(int64_t ticks, int64_t ticks_per_second);  // the nearest, halves upwards

// "12.345": seconds with so many digits behind the point, rounded to the nearest.
std::string seconds_text(int64_t ticks, int64_t ticks_per_second, int digits);
// "00:41:07.250"; hours have as many digits as they need, two at least. Negative times: a '-' in front.
std::string clock_text(int64_t milliseconds);

// Seconds of "00:41:07", "41:07.5", "2467.25"; none for other text, minutes or seconds from 60 on included.
std::optional<double> parse_clock(std::string_view text);

// How a film's frames are counted by editors: at 30000/1001 frames a second in numbers of 30 to a second,
// with two numbers a minute left out (none in every tenth) so that they follow the clock: "drop frame".
struct FrameClock {
  int64_t rate_num = 25, rate_den = 1;

  int64_t nominal() const;  // 23.976 counts to 24
  // 29.97 and 59.94. All others, 23.976 among them, drift from the clock instead.
  bool drops() const;
  // The frame that begins at a time, or nearest to it.
  int64_t frame_of(int64_t ticks, int64_t ticks_per_second) const;
  // "01:00:00:00", with drop frame "01:00:00;00"; after 24 hours it begins anew. frame >= 0.
  std::string code(int64_t frame) const;
  // The number of frames before it: the inverse of code().
  int64_t frame_at(int64_t hours, int64_t minutes, int64_t seconds, int64_t frames) const;
};

}  // namespace uir
