#include "support/catch.h"
#include "uir/base/error.h"
#include "uir/train/schedule.h"

using namespace uir;

namespace {

// Ten steps per epoch, 100 steps, base rate 0.1.
double rate(ScheduleConfig config, int64_t step) {
  config.base_lr = 0.1;
  return learning_rate(config, step, 10, 100);
}

}  // namespace

TEST_CASE("schedule: linear decay, golden values") {
  const ScheduleConfig config{LinearDecay{}, 0, 0};
  CHECK(rate(config, 0) == Approx(0.1));
  CHECK(rate(config, 1) == Approx(0.099));
  CHECK(rate(config, 50) == Approx(0.05));
  CHECK(rate(config, 99) == Approx(0.001));
}

TEST_CASE("schedule: linear decay after warm-up, golden values") {
  const ScheduleConfig config{LinearDecay{}, 0, 2};
  CHECK(rate(config, 0) == Approx(0.005));
  CHECK(rate(config, 9) == Approx(0.05));
  CHECK(rate(config, 19) == Approx(0.1));
  CHECK(rate(config, 20) == Approx(0.1));
  CHECK(rate(config, 60) == Approx(0.05));
  CHECK(rate(config, 99) == Approx(0.00125));
}

TEST_CASE("schedule: cosine, golden values") {
  const ScheduleConfig config{CosineDecay{}, 0, 0};
  CHECK(rate(config, 0) == Approx(0.1));
  CHECK(rate(config, 25) == Approx(0.0853553391));
  CHECK(rate(config, 50) == Approx(0.05));
  CHECK(rate(config, 75) == Approx(0.0146446609));
  const ScheduleConfig warm{CosineDecay{}, 0, 2};
  CHECK(rate(warm, 4) == Approx(0.025));
  CHECK(rate(warm, 20) == Approx(0.1));
  CHECK(rate(warm, 60) == Approx(0.05));
}

TEST_CASE("schedule: step decay, golden values") {
  const ScheduleConfig config{StepDecay{{3, 5.55, 8}, 0.1, {}}, 0, 0.5};
  CHECK(rate(config, 0) == Approx(0.02));
  CHECK(rate(config, 4) == Approx(0.1));
  CHECK(rate(config, 29) == Approx(0.1));
  CHECK(rate(config, 30) == Approx(0.01));
  CHECK(rate(config, 55) == Approx(0.01));
  CHECK(rate(config, 56) == Approx(0.001));  // 55.5 rounds up
  CHECK(rate(config, 80) == Approx(0.0001));
  CHECK(rate({StepDecay{{}, 0.1, {}}, 0, 0}, 99) == Approx(0.1));
  const ScheduleConfig steps{StepDecay{{8}, 0.1, {30, 55}}, 0, 0};
  CHECK(rate(steps, 29) == Approx(0.1));
  CHECK(rate(steps, 30) == Approx(0.01));
  CHECK(rate(steps, 55) == Approx(0.001));
  CHECK(rate(steps, 80) == Approx(0.0001));  // epochs and steps both count
  CHECK(rate({StepDecay{{1}, 0.5, {}}, 0, 2}, 11) == Approx(0.1 * 12 / 20 * 0.5));  // a drop within warm-up
}

TEST_CASE("schedule: warm-up longer than the run") {
  const ScheduleConfig config{CosineDecay{}, 0, 1000};
  CHECK(rate(config, 0) == Approx(0.001));
  CHECK(rate(config, 99) == Approx(0.1));
}

TEST_CASE("schedule: a step outside the run is a bug of ours") {
  CHECK_THROWS_AS(rate({}, 100), Error);
  CHECK_THROWS_AS(rate({}, -1), Error);
}
