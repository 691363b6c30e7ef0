// Whose embeddings a subcommand reads: one of eval.models, or the experiment's own run.
#pragma once

#include <string>

#include "uir/eval/config.h"
#include "uir/experiment/experiment.h"

namespace uir {

// name: that of --model; empty: the only one of eval.models, or this run where there are none. kUsage for a
// name that is none of them, and for none of several.
EvalModel named_model(const Experiment& experiment, const std::string& name);

}  // namespace uir
