#include "uir/train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "uir/base/error.h"

namespace uir {
namespace {

int64_t steps_of(double epochs, int64_t steps_per_epoch) {
  return std::llround(epochs * static_cast<double>(steps_per_epoch));
}

int64_t num_drops(const StepDecay& decay, int64_t step, int64_t steps_per_epoch) {
  return std::ranges::count_if(decay.epochs,
                               [&](double epoch) { return steps_of(epoch, steps_per_epoch) <= step; }) +
         std::ranges::count_if(decay.steps, [&](int64_t at) { return at <= step; });
}

}  // namespace

double learning_rate(const ScheduleConfig& config, int64_t step, int64_t steps_per_epoch,
                     int64_t total_steps) {
  ensure(0 <= step && step < total_steps, "the step lies in the schedule");
  const int64_t warmup = std::min(steps_of(config.warmup_epochs, steps_per_epoch), total_steps);
  const bool warming = step < warmup;
  double rate = config.base_lr;
  if (warming) rate *= static_cast<double>(step + 1) / static_cast<double>(warmup);
  if (const auto* decay = std::get_if<StepDecay>(&config.decay)) {
    return rate * std::pow(decay->factor, num_drops(*decay, step, steps_per_epoch));
  }
  if (warming) return rate;
  const double progress = static_cast<double>(step - warmup) / static_cast<double>(total_steps - warmup);
  const bool linear = std::holds_alternative<LinearDecay>(config.decay);
  return rate * (linear ? 1 - progress : (1 + std::cos(std::numbers::pi * progress)) / 2);
}

}  // namespace uir
