#include "uir/timeline/clock.h"

#include <cmath>
#include <cstdio>

#include "support/catch.h"

namespace uir {
namespace {

TEST_CASE("clock times", "[timeline]") {
  CHECK(clock_text(0) == "00:00:00.000");
  CHECK(clock_text(2467250) == "00:41:07.250");
  CHECK(clock_text(360000001) == "100:00:00.001");
  CHECK(clock_text(-1500) == "-00:00:01.500");
  CHECK(parse_clock("00:41:07") == 2467.);
  CHECK(parse_clock("41:07.5") == 2467.5);
  CHECK(parse_clock("2467.25") == 2467.25);
  CHECK(parse_clock("90:00") == 5400.);
  for (const char* text :
       {"", ":", "1:60", "1:60:00", "1:2:3:4", "-1", "1e3", "0x10", " 1", "1.5:00", "nan", "1:", "."})
    CHECK_FALSE(parse_clock(text).has_value());
  CHECK(seconds_text(1, 3, 6) == "0.333333");
  CHECK(seconds_text(2, 3, 3) == "0.667");
  CHECK(seconds_text(-1, 2, 3) == "-0.500");
  CHECK(seconds_text(647999999999, 90000, 6) == "7199999.999989");
  CHECK(milliseconds_of(1, 2000) == 1);
  CHECK(milliseconds_of(45, 90000) == 1);
  CHECK(milliseconds_of(44, 90000) == 0);
}

// Counts frame by frame as SMPTE 12M says: numbers 0 and 1 (of 60: 0 to 3) are left out at the start of every
// minute but the tenth ones.
TEST_CASE("time codes against counting", "[timeline]") {
  struct Rate {
    int64_t num, den, nominal;
    bool drops;
  };
  for (const Rate rate :
       {Rate{30000, 1001, 30, true}, Rate{60000, 1001, 60, true}, Rate{24000, 1001, 24, false},
        Rate{25, 1, 25, false}, Rate{30, 1, 30, false}, Rate{50, 1, 50, false}, Rate{2997, 100, 30, false}}) {
    const FrameClock clock{rate.num, rate.den};
    CHECK(clock.nominal() == rate.nominal);
    REQUIRE(clock.drops() == rate.drops);
    int h = 0, m = 0, s = 0, f = 0;
    bool same = true;
    const int64_t frames = rate.nominal * 3600 * 25;
    for (int64_t frame = 0; frame < frames && same; ++frame) {
      char expected[64];
      std::snprintf(expected, sizeof expected, "%02d:%02d:%02d%c%02d", h % 24, m, s, rate.drops ? ';' : ':',
                    f);
      // Every frame near the minutes, some in between: counting all of them takes long.
      if (s == 59 || s == 0 || frame % 61 == 0) {
        same = clock.code(frame) == expected && clock.frame_at(h, m, s, f) == frame;
        if (!same) CHECK(clock.code(frame) == expected);
      }
      if (++f < rate.nominal) continue;
      f = 0;
      if (++s < 60) continue;
      s = 0;
      if (++m == 60) {
        m = 0;
        ++h;
      }
      if (rate.drops && m % 10 != 0) f = static_cast<int>(rate.nominal / 15);
    }
    CHECK(same);
  }
}

TEST_CASE("drop frame follows the clock, 23.976 does not", "[timeline]") {
  const FrameClock ntsc{30000, 1001};
  CHECK(ntsc.code(ntsc.frame_of(3600, 1)) == "01:00:00;00");
  CHECK(ntsc.code(ntsc.frame_of(36000, 1)) == "10:00:00;01");  // ten hours lag by one frame: as it is
  const FrameClock film{24000, 1001};
  CHECK(film.code(film.frame_of(3600, 1)) == "00:59:56:10");
  CHECK(FrameClock{25, 1}.code(90000) == "01:00:00:00");
}

TEST_CASE("a frame's own time gives its number", "[timeline]") {
  for (const auto& [num, den] : {std::pair<int64_t, int64_t>{30000, 1001}, {24000, 1001}, {25, 1}, {50, 1}}) {
    for (const int64_t tps : {int64_t{1000}, int64_t{90000}, int64_t{30000}}) {
      for (int64_t frame = 0; frame < 200000; frame += 37) {
        // As containers do it: rounded to their ticks.
        const auto ticks =
            static_cast<int64_t>(std::llround(static_cast<long double>(frame) * den * tps / num));
        REQUIRE(FrameClock{num, den}.frame_of(ticks, tps) == frame);
      }
    }
  }
}

}  // namespace
}  // namespace uir
