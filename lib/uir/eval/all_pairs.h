// AUC, EER and TAR@FAR (rule at_most) over all pairs of a labeled set: two images of one identity are genuine, of two
// identities impostors; every unordered pair counts once.
//
// Exact: float64 scores of canonical vectors, ties counted. Cost: N²/2 · D multiplications (once more for the genuine
// ones); memory: 4·N·D bytes for the transposed copy and 24 bytes per genuine pair and thread, none per impostor.
// Errors: unlabeled rows (−1) and labels of another number than rows are kData.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "uir/eval/roc.h"
#include "uir/report/report.h"
#include "uir/search/canonical.h"

namespace uir {

Roc all_pairs_roc(const CanonicalVectors& vectors, std::span<const int64_t> labels, int threads = 1);

ProtocolResult run_all_pairs(const std::string& name, const CanonicalVectors& vectors,
                             std::span<const int64_t> labels, const std::vector<double>& far,
                             int threads = 1);

}  // namespace uir
