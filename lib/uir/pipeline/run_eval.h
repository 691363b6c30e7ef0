// Runs the protocols of an experiment and writes the report folder.
#pragma once

#include <string>

#include "uir/experiment/experiment.h"

namespace uir {

// Returns the report as readable text; JSON and text are in <run>/report.
std::string run_eval(const Experiment& experiment);

}  // namespace uir
