#include "uir/device/fused_update.h"

#include "uir/device/compat.h"

#if UIR_TORCH_AT_LEAST(2, 4)
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/_fused_sgd.h>
#else
#include <ATen/TensorOperators.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/where.h>
#endif

namespace uir {

#if UIR_TORCH_AT_LEAST(2, 4)

void fused_sgd(const TensorList& weights, const TensorList& gradients, const TensorList& momenta,
               double decay, double momentum, double lr, const FusedScalars& scalars) {
  // Without momentum LibTorch refuses a state: it stays as it is.
  at::_fused_sgd_(
      weights, gradients, momentum > 0 ? momenta : TensorList(), decay, momentum, lr, /*dampening=*/0,
      /*nesterov=*/false, /*maximize=*/false, /*is_first_step=*/false, scalars.grad_scale, scalars.found_inf);
}

void fused_adamw(const TensorList& weights, const TensorList& gradients, const TensorList& means,
                 const TensorList& squares, const at::Tensor& step, const AdamWRule& rule,
                 const FusedScalars& scalars) {
  const TensorList steps(weights.size(), step);
  at::_fused_adamw_(weights, gradients, means, squares, {}, steps, rule.lr, rule.beta1, rule.beta2,
                    rule.decay, rule.epsilon, /*amsgrad=*/false, /*maximize=*/false, scalars.grad_scale,
                    scalars.found_inf);
}

#else

namespace {

void set_where(const at::Tensor& changes, at::Tensor tensor, const at::Tensor& value) {
  tensor.copy_(at::where(changes, value, tensor));
}

}  // namespace

void fused_sgd(const TensorList& weights, const TensorList& gradients, const TensorList& momenta,
               double decay, double momentum, double lr, const FusedScalars& scalars) {
  const at::Tensor changes = scalars.found_inf.eq(0);
  for (size_t i = 0; i < weights.size(); ++i) {
    at::Tensor gradient = gradients[i];
    gradient.div_(scalars.grad_scale);
    set_where(changes, momenta[i], momenta[i] * momentum + gradient + weights[i] * decay);
    set_where(changes, weights[i], weights[i] - momenta[i] * lr);
  }
}

void fused_adamw(const TensorList& weights, const TensorList& gradients, const TensorList& means,
                 const TensorList& squares, const at::Tensor& step, const AdamWRule& rule,
                 const FusedScalars& scalars) {
  const at::Tensor changes = scalars.found_inf.eq(0);
  const at::Tensor t = step.to(at::kDouble);
  const auto correction = [&](double beta) { return 1 - at::full_like(t, beta).pow(t); };
  const at::Tensor rate = correction(rule.beta1).reciprocal() * rule.lr, root = correction(rule.beta2).sqrt();
  for (size_t i = 0; i < weights.size(); ++i) {
    at::Tensor gradient = gradients[i];
    gradient.div_(scalars.grad_scale);
    set_where(changes, means[i], means[i] * rule.beta1 + gradient * (1 - rule.beta1));
    set_where(changes, squares[i], squares[i] * rule.beta2 + gradient.square() * (1 - rule.beta2));
    const at::Tensor denominator = squares[i].sqrt() / root + rule.epsilon;
    set_where(changes, weights[i], weights[i] * (1 - rule.lr * rule.decay) - means[i] * rate / denominator);
  }
}

#endif

}  // namespace uir
