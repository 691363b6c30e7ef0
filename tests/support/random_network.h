// Networks whose every number matters: no normalisation or slope is 0, 1 or the same for all channels.
// Values of deep ones grow without end if these spread widely.
#pragma once

#include <ATen/ATen.h>

#include <cmath>
#include <memory>

#include "uir/model/backbone.h"

inline std::shared_ptr<uir::Backbone> random_network(const uir::ModelConfig& config, double spread = 1) {
  const auto generator = at::make_generator<at::CPUGeneratorImpl>(9);
  const at::NoGradGuard no_grad;
  auto network = uir::make_backbone(config, 4);
  for (const auto& [key, tensor] : named_state(*network)) {
    if (tensor.dim() == 1 && tensor.requires_grad())
      tensor.add_(at::randn(tensor.sizes(), generator), 0.2 * spread);
    if (tensor.dim() == 4) tensor.mul_(std::sqrt(spread));
    if (key.ends_with("running_var")) tensor.uniform_(1 - 0.5 * spread, 1 + spread, generator);
    if (key.ends_with("running_mean")) tensor.normal_(0, 0.3 * spread, generator);
    if (key.ends_with("num_batches_tracked")) tensor.fill_(7);
  }
  network->eval();
  return network;
}
