// The distributions of known faces and strangers on the report's page (details.distributions): per measure
// one histogram per model with the chosen threshold, and a table of means and quantiles. Details of another
// shape are left out.
#pragma once

#include <string>
#include <vector>

#include "uir/report/comparison.h"
#include "uir/report/markup.h"

namespace uir {

void write_distributions(const ComparedProtocol& protocol, const std::vector<std::string>& models,
                         Markup& page);

}  // namespace uir
