// The section of one protocol on the report's page: its words, counts, numbers beside the published ones,
// curves, distributions, and the other details as tables.
#pragma once

#include <string>
#include <vector>

#include "uir/report/comparison.h"
#include "uir/report/markup.h"

namespace uir {

// id: of the section's element, unique on the page. models: the names, in the comparison's order.
void write_protocol(const ComparedProtocol& protocol, const std::vector<std::string>& models,
                    const std::string& id, Markup& page);

}  // namespace uir
