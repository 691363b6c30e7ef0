#include "uir/experiment/option_names.h"

#include "uir/experiment/experiment.h"

namespace uir {

std::vector<OptionName> experiment_options() { return OptionNames::of<Experiment>(); }

}  // namespace uir
