// Runs the protocols of an experiment and writes the report folder.
#pragma once

#include <string>

#include "uir/experiment/experiment.h"

namespace uir {

// Returns the report as readable text; JSON, text and a page are in <run>/report. Launched as several ranks
// (torchrun, mpirun, srun), they share the searches over all pairs, one slice each; rank 0 writes, the others
// return nothing.
std::string run_eval(const Experiment& experiment);

}  // namespace uir
