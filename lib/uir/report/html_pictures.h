// The hardest pairs of a protocol (details.hardest, eval/hardest.h) on the report's page: per kind its words,
// the thresholds, and per pair a picture from a file beside the page, the score, and both faces' names. What
// has no picture is listed without one.
#pragma once

#include <string>
#include <vector>

#include "uir/report/comparison.h"
#include "uir/report/markup.h"

namespace uir {

void write_hardest(const ComparedProtocol& protocol, const std::vector<std::string>& models, Markup& page);

}  // namespace uir
