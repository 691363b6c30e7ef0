// How far class centers stand apart: 1 − cos between them, over all pairs and to the nearest other center.
//
// ŵ = w/‖w‖ (canonical vectors). Mean over all pairs: 1 − (‖Σŵ‖² − Σ‖ŵ‖²) / (C·(C − 1)), in float64.
// Quantiles
// (quantile.h) over all pairs from a histogram of step 1e-5, the step's middle being reported, so exact to
// 0.5e-5; over nearest neighbours exact.
// Interval of the mean over nearest neighbours: over classes, not over trainings. V = Σ u_c u_c'/C², u =
// distance − mean, over c = c' and the pairs of which one is the other's nearest, at least Σu²/C²; t(C − 1).
// Shapes: centers [C, D], C >= 2. Cost: C²/2·D multiplications in tiles; memory 8·C·D bytes, and per thread
// 8·C and 1.6 MB. The result does not depend on the number of threads.
// Errors: kData for fewer than two centers, a zero or non-finite center (naming the class).
#pragma once

#include <cstdint>
#include <string>

#include "uir/eval/protocol.h"

namespace uir {

// How far the class centers of a checkpoint stand apart.
struct SeparationProtocol {
  static constexpr std::string_view kType = "separation";
  static NumberFacts number_facts();
};
template <class Visitor>
void describe(Visitor&, SeparationProtocol&) {}

std::vector<std::string> sets_of(const SeparationProtocol& config);
std::vector<std::string> problems_of(const SeparationProtocol& config, const KnownSources& sources);
std::vector<ProtocolResult> measure(const std::string& name, const SeparationProtocol& config,
                                    EvalContext& context);

struct Spread {
  double mean = 0, q01 = 0, q05 = 0, q50 = 0, minimum = 0;
};
struct SeparationResult {
  int64_t num_centers = 0;
  Spread all_pairs;
  Spread nearest;
  double nearest_variance = 0;  // of nearest.mean
};
SeparationResult measure_separation(MatrixView centers, int threads = 1);

ProtocolResult run_separation(const std::string& name, MatrixView centers, int threads = 1);

}  // namespace uir
