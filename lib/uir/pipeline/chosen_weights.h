// Which weights of a run extraction and export take.
#pragma once

#include "uir/base/file.h"
#include "uir/experiment/experiment.h"

namespace uir {

// The checkpoint or weights file that the config names (extract.weights), else the run's best checkpoint,
// else its latest; a damaged best one is warned about. kMissingInput if there is none.
fs::path chosen_weights(const Experiment& experiment);

}  // namespace uir
