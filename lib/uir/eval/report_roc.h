// A ROC as a protocol reports it.
#pragma once

#include <span>

#include "uir/eval/roc.h"
#include "uir/report/report.h"

namespace uir {

// Adds auc, eer and tar_at_far_… with their thresholds, and details["roc"]; undefined where a kind of pair is
// absent.
void report_roc(const Roc& roc, std::span<const double> fars, ProtocolResult& result);

}  // namespace uir
