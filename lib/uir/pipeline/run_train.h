// Wires a training run: index, network, head, verification on held-out pairs, trainer.
#pragma once

#include <cstdint>

#include "uir/experiment/experiment.h"

namespace uir {

struct TrainRun {
  bool resume = false;
  int64_t stop_after_step = 0;  // 0: run to the end
  bool report_only = false;     // write the report of what the run folder holds, and nothing else
};

// Throws kStopped after a stop request or stop_after_step, with everything saved.
void run_train(const Experiment& experiment, const TrainRun& run);

}  // namespace uir
