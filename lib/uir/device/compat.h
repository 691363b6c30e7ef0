// Operators that not every supported LibTorch has: the one place that knows (beside dist/compat.h, for c10d).
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/version.h>

#include <vector>

#define UIR_TORCH_AT_LEAST(major, minor) \
  (TORCH_VERSION_MAJOR > (major) || (TORCH_VERSION_MAJOR == (major) && TORCH_VERSION_MINOR >= (minor)))

#if UIR_TORCH_AT_LEAST(2, 4)
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/_fused_sgd.h>
#endif

#include "uir/base/error.h"

namespace uir {

using TensorList = std::vector<at::Tensor>;

// Updates of all tensors of a list in a few launches. grad_scale divides the gradients (and overwrites
// them), found_inf other than 0 leaves everything else as it is: float32 scalars on the tensors' device,
// which nobody waits for.
constexpr bool kHasFusedUpdates = UIR_TORCH_AT_LEAST(2, 4);

struct FusedScalars {
  at::Tensor grad_scale, found_inf;
};

#if UIR_TORCH_AT_LEAST(2, 4)
// Without momentum LibTorch refuses a state: it stays as it is.
inline void fused_sgd(const TensorList& weights, const TensorList& gradients, const TensorList& momenta,
                      double decay, double momentum, double lr, const FusedScalars& scalars) {
  at::_fused_sgd_(weights, gradients, momentum > 0 ? momenta : TensorList(), decay, momentum, lr,
                  /*dampening=*/0, /*nesterov=*/false, /*maximize=*/false, /*is_first_step=*/false,
                  scalars.grad_scale, scalars.found_inf);
}
// steps: float32 scalars, the number of updates with this one.
inline void fused_adamw(const TensorList& weights, const TensorList& gradients, const TensorList& means,
                        const TensorList& squares, const TensorList& steps, double lr, double beta1,
                        double beta2, double decay, double epsilon, const FusedScalars& scalars) {
  at::_fused_adamw_(weights, gradients, means, squares, {}, steps, lr, beta1, beta2, decay, epsilon,
                    /*amsgrad=*/false, /*maximize=*/false, scalars.grad_scale, scalars.found_inf);
}
#else
inline void fused_sgd(const TensorList&, const TensorList&, const TensorList&, double, double, double,
                      const FusedScalars&) {
  fail(ErrorKind::kConfig, "train.device: training on a device needs LibTorch 2.4 or later");
}
inline void fused_adamw(const TensorList&, const TensorList&, const TensorList&, const TensorList&,
                        const TensorList&, double, double, double, double, double, const FusedScalars&) {
  fail(ErrorKind::kConfig, "train.device: training on a device needs LibTorch 2.4 or later");
}
#endif

}  // namespace uir
