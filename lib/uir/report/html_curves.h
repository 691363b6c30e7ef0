// The curves of a protocol on the report's page: ROC and DET of details.roc, DET of details.det, one line per
// model.
//
// Rates are on logarithmic axes; a curve's value at rate 0 stands at the left edge. Beside the drawings stand
// their points, for the page's script. Details of another shape are left out.
#pragma once

#include <string>
#include <vector>

#include "uir/report/comparison.h"
#include "uir/report/markup.h"

namespace uir {

void write_curves(const ComparedProtocol& protocol, const std::vector<std::string>& models, Markup& page);

}  // namespace uir
