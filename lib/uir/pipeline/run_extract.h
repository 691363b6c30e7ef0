// Embeds the sets of an experiment with its trained weights.
#pragma once

#include "uir/experiment/experiment.h"
#include "uir/submission/submission.h"

namespace uir {

// Sets whose store exists already with the same weights are kept; interrupted ones continue. Then the
// submission of every set is written, if one is wanted.
void run_extract(const Experiment& experiment, const SubmissionRequest& submission = {});

}  // namespace uir
