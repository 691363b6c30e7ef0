#include "uir/train/loss_scaler.h"

#include <cmath>

namespace uir {
namespace {

constexpr int64_t kGrowthInterval = 2000;

}  // namespace

void LossScaler::update(bool finite) {
  if (!finite) {
    scale_ /= 2;
    good_steps_ = 0;
  } else if (++good_steps_ == kGrowthInterval) {
    scale_ *= 2;
    good_steps_ = 0;
  }
}

Json LossScaler::state() const { return {{"scale", scale_}, {"good_steps", good_steps_}}; }

void LossScaler::load_state(const Json& state) {
  const auto scale = json_at<double>(state, "scale", "loss scaler");
  const auto good_steps = json_at<int64_t>(state, "good_steps", "loss scaler");
  int exponent = 0;
  const bool power_of_two = std::isfinite(scale) && std::frexp(scale, &exponent) == 0.5;
  if (!power_of_two || good_steps < 0 || good_steps >= kGrowthInterval) {
    fail(ErrorKind::kData, "loss scaler: state ", state.dump(), " is out of range; use another checkpoint");
  }
  scale_ = scale;
  good_steps_ = good_steps;
}

}  // namespace uir
