// Whether a run may go on as another experiment than it began as. Free of LibTorch.
#pragma once

#include <string>

#include "uir/experiment/experiment.h"

namespace uir {

// The lines of the two resolved configs that differ, "\n  was:…\n  now:…" each, options aside that may differ
// on resume (MayDifferOnResume in their description); empty: the run can be resumed.
std::string differences_on_resume(Experiment saved, const Experiment& now);

}  // namespace uir
