#include "uir/identify/film_facts.h"

#include <tuple>

#include "support/catch.h"

using namespace uir;

TEST_CASE("A film's rate is that of its frames", "[film]") {
  const auto rate = [](const std::map<int64_t, int64_t>& distances, int64_t second) {
    const FrameRate found = frame_rate_of(distances, second);
    return std::tuple(found.num, found.den, found.constant);
  };
  CHECK(rate({{512, 300}}, 12800) == std::tuple(25, 1, true));
  CHECK(rate({{33, 634}, {34, 366}}, 1000) == std::tuple(30000, 1001, true));  // Matroska's milliseconds
  CHECK(rate({{41, 300}, {42, 700}}, 1000) == std::tuple(24000, 1001, true));
  CHECK(rate({{41, 333}, {42, 667}}, 1000) == std::tuple(24, 1, true));
  CHECK(rate({{3003, 50}}, 90000) == std::tuple(30000, 1001, true));
  CHECK(rate({{40, 100}, {80, 5}}, 1000) == std::tuple(25, 1, false));
  CHECK(rate({}, 1000) == std::tuple(25, 1, false));
}
