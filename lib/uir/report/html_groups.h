// The page's table of a protocol that was split by an attribute: a row for all and one for each group (with
// several models one for each of them), a column for each count and number.
#pragma once

#include <string>
#include <vector>

#include "uir/report/comparison.h"
#include "uir/report/markup.h"

namespace uir {

// Nothing where the protocol was not split.
void write_groups(const ComparedProtocol& protocol, const std::vector<std::string>& models, Markup& page);

}  // namespace uir
