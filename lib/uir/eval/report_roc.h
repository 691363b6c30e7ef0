// A ROC as a protocol reports it.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "uir/eval/roc.h"
#include "uir/report/report.h"

namespace uir {

// Adds auc, eer and tar_at_far_…, details["thresholds"] with the impostor scores on both sides of each
// threshold, and details["roc"]; undefined where a kind of pair is absent.
void report_roc(const Roc& roc, std::span<const double> fars, ProtocolResult& result);

// The thresholds of these rates; none where they are undefined.
std::vector<double> thresholds_of(const ProtocolResult& result);

// Warns of rates below 1 / impostors, by the name of the protocol: what is measured there is acceptance above
// every impostor's score.
void warn_of_unresolved_rates(std::string_view protocol, std::span<const double> rates, int64_t impostors);

}  // namespace uir
