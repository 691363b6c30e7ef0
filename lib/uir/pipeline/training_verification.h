// Protocols of the eval section, run on a network while it is trained, and which of them picks the best
// checkpoint.
#pragma once

#include <memory>
#include <string>

#include "uir/data/index.h"
#include "uir/dist/communicator.h"
#include "uir/experiment/experiment.h"
#include "uir/pipeline/compute.h"
#include "uir/train/verification.h"

namespace uir {

// Measures train.verification.protocols; empty if there are none. Reads the lists of pairs now (their errors:
// eval/pairs.h), and the identities of sets all pairs of which count: kData if an image has none. A call
// embeds only the images that pairs use, with extract.batch images at a time, all ranks sharing the work.
VerifyFunction training_verification(const Experiment& experiment, const Index& index, const Compute& compute,
                                     const std::shared_ptr<const Communicator>& ranks);

// Who picks the best checkpoint: train.checkpoint.best_by, else the first protocol on held-out images, else
// nobody (empty). Warns where that one measures a test set, whose numbers the choice then makes too good.
struct Selection {
  std::string protocol, warning;
};
Selection selection_of(const Experiment& experiment);

}  // namespace uir
