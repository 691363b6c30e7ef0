// How sure the numbers of the rejection protocol are: over known people and strangers, by
// share_uncertainty.h.
//
// Strangers rejected keeping a share s: the threshold is the known faces', b = ΔR/ΔK between the shares kept
// 1 − 2x and 1 − x/2, x = 1 − s. Known faces accepted at the chosen threshold: it is the strangers',
// b = ΔK/ΔFA between 2x and x/2 of the false acceptance x. Strangers without a label are one person each.
// Not resolved: fewer than ten known faces are lost, or strangers let in.
// Cost: sorting. Errors: none.
#pragma once

#include <span>

#include "uir/eval/rejection.h"

namespace uir {

struct ProtocolResult;

// Of the numbers that run_rejection() reports.
void report_intervals(std::span<const ClassifiedSet> known, std::span<const ClassifiedSet> strangers,
                      const RejectionProtocol& config, const RejectionResult& result, ProtocolResult& report);

}  // namespace uir
