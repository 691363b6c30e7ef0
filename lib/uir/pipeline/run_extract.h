// Embeds the sets of an experiment with its trained weights.
#pragma once

#include "uir/experiment/experiment.h"

namespace uir {

// Sets whose store exists already with the same weights are kept; interrupted ones continue.
void run_extract(const Experiment& experiment);

}  // namespace uir
