// What a training run would take on described machines (uir-train --estimate). Starts nothing, writes
// nothing.
#pragma once

#include <cstdint>
#include <string>

#include "uir/data/index.h"
#include "uir/experiment/experiment.h"
#include "uir/plan/cost_model.h"

namespace uir {

struct EstimateRun {
  std::string cluster;  // "8x80GB": plan/estimate.h
  // In place of the index's numbers; 0: those of the index.
  int64_t classes = 0, images = 0;
};

DataCounts counts_of(const Index& index);

// The report. Throws kUsage for a wrong description; kMissingInput if there is no index and no numbers are
// given.
std::string run_estimate(const Experiment& experiment, const EstimateRun& run);

}  // namespace uir
