// The margins of the labeled rows, as functions of their targets' cosines.
//
// Shapes: all tensors float64 [R], on any device; no function waits for it.
// Source: ArcFace (Deng et al., CVPR 2019), CosFace (Wang et al., CVPR 2018), SphereFace (Liu et al., CVPR
// 2017), AdaFace (Kim et al., CVPR 2022); docs/losses.md has the formulas and where they depart from the
// sources.
// Cost: some twenty operators on R numbers. Threads: free functions, no shared state.
#pragma once

#include <ATen/core/Tensor.h>

#include "uir/head/config.h"

namespace uir {

struct MarginedCosines {
  at::Tensor values;       // replace the targets' cosines before scaling
  at::Tensor derivatives;  // by the targets' cosines, as the gradient shall see them
};

// cos(m1 θ + m2) − m3, the margin scaled by `factor` in 0 … 1: m1 − 1, m2 and m3 each times it.
MarginedCosines apply_margin(const CombinedMarginConfig& margin, double factor, const at::Tensor& cosines);

// AdaFace's running statistics of the embeddings' norms, float64 [2]: mean and deviation.
at::Tensor initial_norm_statistics();

// Moves the statistics on by a batch with these norms, in place; they stay where the batch says nothing (no
// rows; one row has no deviation; values that are not finite).
void update_statistics(const at::Tensor& statistics, double momentum, const at::Tensor& norms);

// cos(θ + g_angle) − g_add with the margin chosen by the row's norm, which gets no gradient.
MarginedCosines apply_margin(const AdaFaceConfig& margin, double factor, const at::Tensor& statistics,
                             const at::Tensor& norms, const at::Tensor& cosines);

}  // namespace uir
