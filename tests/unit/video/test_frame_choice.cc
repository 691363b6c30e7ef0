#include "uir/video/frame_choice.h"

#include <vector>

#include "support/catch.h"

using namespace uir;

namespace {

std::vector<int64_t> taken(const FrameSampling& sampling, int64_t ticks_per_second,
                           const std::vector<int64_t>& ticks) {
  std::vector<FrameFacts> frames;
  for (const int64_t time : ticks) frames.push_back({time, 8, 8});
  const FrameChoice choice(sampling, ticks_per_second, frames);
  std::vector<int64_t> numbers;
  for (int64_t n = 0; n < std::ssize(frames); ++n) {
    if (choice.takes(n)) numbers.push_back(n);
  }
  return choice.thin(std::move(numbers));
}

std::vector<int64_t> steady(int frames, int64_t step, int64_t start = 0) {
  std::vector<int64_t> ticks;
  for (int n = 0; n < frames; ++n) ticks.push_back(start + n * step);
  return ticks;
}

}  // namespace

TEST_CASE("Frames at a steady rate", "[frame_choice]") {
  CHECK(taken({1, 0, 0}, 25, steady(4, 1)) == std::vector<int64_t>{0, 1, 2, 3});
  CHECK(taken({1, 5, 0}, 25, steady(20, 1)) == std::vector<int64_t>{0, 5, 10, 15});
  CHECK(taken({1, 0.5, 0}, 25, steady(120, 1)) == std::vector<int64_t>{0, 50, 100});
  CHECK(taken({1, 100, 0}, 25, steady(3, 1)) == std::vector<int64_t>{0, 1, 2});
  CHECK(taken({1, 1, 0}, 30000, steady(95, 1001)) == std::vector<int64_t>{0, 30, 60, 90});  // 29.97
  CHECK(taken({2, 10, 0}, 25, steady(12, 1)) == std::vector<int64_t>{0, 4, 6, 8, 10});
  CHECK(taken({20, 0, 2}, 25, steady(50, 1)) == std::vector<int64_t>{0, 20});
  CHECK(taken({1, 0, 4}, 25, steady(50, 1)) == std::vector<int64_t>{0, 12, 25, 37});
}

TEST_CASE("Times decide, not how many frames there are", "[frame_choice]") {
  // A burst, a pause of four seconds, stamps in ms that were rounded.
  const std::vector<int64_t> ticks{0, 33, 67, 100, 133, 999, 1000, 1001, 5400, 5433, 6000};
  CHECK(taken({1, 1, 0}, 1000, ticks) == std::vector<int64_t>{0, 6, 8, 10});
  CHECK(taken({1, 10, 0}, 1000, ticks) == std::vector<int64_t>{0, 3, 5, 6, 8, 10});
  CHECK(taken({1, 1, 0}, 1000, {5010, 5500, 6010, 6020}) == std::vector<int64_t>{0, 2});  // begins late
  CHECK(taken({1, 1, 0}, 1000, {-80, -40, 0, 40}) == std::vector<int64_t>{0, 2});
  CHECK(taken({1, 1, 0}, 90000, steady(3, 3003, int64_t{1} << 33)) == std::vector<int64_t>{0});
}
