// The margins of the labeled rows, as functions of one cosine.
//
// Source: ArcFace (Deng et al., CVPR 2019), CosFace (Wang et al., CVPR 2018), SphereFace (Liu et al., CVPR
// 2017), AdaFace (Kim et al., CVPR 2022); docs/losses.md has the formulas and where they depart from the
// sources.
// Cost: a few transcendental functions per labeled row. Threads: free functions, no shared state.
#pragma once

#include <cstdint>
#include <vector>

#include "uir/head/config.h"

namespace uir {

struct MarginedCosine {
  double value = 0;       // replaces the target's cosine before scaling
  double derivative = 1;  // by the target's cosine, as the gradient shall see it
};

// cos(m1 θ + m2) − m3, the margin scaled by `factor` in 0 … 1: m1 − 1, m2 and m3 each times it.
MarginedCosine apply_margin(const CombinedMarginConfig& margin, double factor, double cosine);

// AdaFace's running statistics of the embeddings' norms.
struct NormStatistics {
  double mean = 20;
  double deviation = 100;
};

// The statistics after a batch with these norms; unchanged where the batch says nothing (no rows; one row has
// no deviation; values that are not finite).
NormStatistics updated_statistics(const NormStatistics& statistics, double momentum,
                                  const std::vector<double>& norms);

// cos(θ + g_angle) − g_add with the margin chosen by the row's norm, which gets no gradient.
MarginedCosine apply_margin(const AdaFaceConfig& margin, double factor, const NormStatistics& statistics,
                            double norm, double cosine);

}  // namespace uir
