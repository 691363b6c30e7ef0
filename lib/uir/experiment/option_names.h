// The options of an experiment, by the names that --set takes.
#pragma once

#include <vector>

#include "uir/config/option_names.h"

namespace uir {

std::vector<OptionName> experiment_options();

}  // namespace uir
