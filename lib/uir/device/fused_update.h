// Updates of all tensors of a list that read on the device by what the gradients are divided and whether
// anything is changed at all: the host waits for nothing.
//
// Rules: those of train/optimizer.h. LibTorch's fused operators, a few launches for a list, where it has
// them (from 2.4 on); before, ordinary operators, some ten launches and temporaries for each tensor.
// Threads: one at a time.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace uir {

using TensorList = std::vector<at::Tensor>;

// float32 scalars on the tensors' device. The gradients are overwritten.
struct FusedScalars {
  at::Tensor grad_scale;  // divides the gradients
  at::Tensor found_inf;   // other than 0: weights and state stay as they are
};

void fused_sgd(const TensorList& weights, const TensorList& gradients, const TensorList& momenta,
               double decay, double momentum, double lr, const FusedScalars& scalars);

struct AdamWRule {
  double lr = 0, beta1 = 0, beta2 = 0, decay = 0, epsilon = 0;
};
// step: float32 scalar, the number of updates with this one.
void fused_adamw(const TensorList& weights, const TensorList& gradients, const TensorList& means,
                 const TensorList& squares, const at::Tensor& step, const AdamWRule& rule,
                 const FusedScalars& scalars);

}  // namespace uir
