#include "uir/model/batch_norm.h"

#include <ATen/ops/batch_norm.h>
#include <ATen/ops/prelu.h>

namespace uir {
namespace {

at::Tensor batch_norm_by_library(const BatchNormArgs& a) {
  at::Tensor y =
      at::batch_norm(a.x, a.weight, a.bias, a.running_mean, a.running_var, a.training, a.momentum, a.epsilon,
                     /*cudnn_enabled=*/true);
  if (a.slope.defined()) y = at::prelu(y, a.slope.to(y.scalar_type()));
  return a.residual.defined() ? y.add(a.residual) : y;
}

}  // namespace

at::Tensor batch_norm(const BatchNormArgs& args) { return batch_norm_by_library(args); }

}  // namespace uir
