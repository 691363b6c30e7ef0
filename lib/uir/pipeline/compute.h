// Where and how a run computes: device, type of the activations, threads.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "uir/dist/rendezvous.h"
#include "uir/train/config.h"

namespace uir {

struct Compute {
  at::Device device = at::kCPU;
  at::ScalarType pixel_type = at::kFloat;
};

// The device that an option names: auto (CUDA when LibTorch sees one), cpu, cuda or cuda:N. kConfig if it is not there.
at::Device resolve_device(const std::string& option, const std::string& name);

// Resolves auto, sets LibTorch's thread count and says what was chosen. kConfig for a device that is not there or
// cannot compute in the wanted type.
Compute choose_compute(const TrainConfig& config);

RankTimeouts timeouts_of(const RanksConfig& config);

}  // namespace uir
