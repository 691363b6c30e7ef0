// The optimizer's update on other devices than the CPU: LibTorch's fused operators, which read on the
// device by what the gradients are multiplied and whether the step is skipped. The host waits for nothing.
//
// Threads: one at a time.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "uir/train/config.h"

namespace uir {

// Whole tensors, or the same elements of each, laid out alike; second: AdamW's squares.
struct UpdateLists {
  std::vector<at::Tensor> weights, gradients, first, second;
};

// What an update reads on the device.
struct DeviceScalars {
  at::Tensor factor;      // float64: of the gradients, which are overwritten by the product
  at::Tensor skip;        // bool: leave weights and state as they are
  at::Tensor step_count;  // int64: updates done, with this one
};

void update_on_device(const OptimizerConfig& config, double learning_rate, double decay,
                      const UpdateLists& lists, const DeviceScalars& scalars);

}  // namespace uir
