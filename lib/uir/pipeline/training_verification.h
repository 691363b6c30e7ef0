// Verification protocols of the eval section, run on a network while it is trained.
#pragma once

#include <memory>

#include "uir/data/index.h"
#include "uir/dist/communicator.h"
#include "uir/experiment/experiment.h"
#include "uir/pipeline/compute.h"
#include "uir/train/verification.h"

namespace uir {

// Measures train.verification.protocols; empty if there are none. Reads the lists of pairs now (their errors:
// eval/pairs.h); a call embeds only the images that pairs use, with extract.batch images at a time, all ranks
// sharing the work.
VerifyFunction training_verification(const Experiment& experiment, const Index& index, const Compute& compute,
                                     const std::shared_ptr<const Communicator>& ranks);

}  // namespace uir
