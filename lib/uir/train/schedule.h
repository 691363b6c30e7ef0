// The learning rate of each optimizer step: linear warm-up, then linear, cosine or step decay. No LibTorch.
//
// With T = total_steps, w = round(warmup_epochs * steps_per_epoch), at most T, and step s in [0, T):
//   s < w    base * (s + 1) / w, times the drops of `step`   (arcface_torch: s / w, so step 0 is idle)
//   linear   base * (1 - (s - w) / (T - w))                  arcface_torch's PolynomialLRWarmup with power 1
//   cosine   base * (1 + cos(pi (s - w) / (T - w))) / 2
//   step     base * factor^n, n the number of entries e of `epochs` with round(e * steps_per_epoch) <= s,
//            and of entries of `steps` that are <= s
// linear and cosine would reach 0 at step T, the first that is not done.
#pragma once

#include <cstdint>

#include "uir/train/config.h"

namespace uir {

double learning_rate(const ScheduleConfig& config, int64_t step, int64_t steps_per_epoch,
                     int64_t total_steps);

}  // namespace uir
