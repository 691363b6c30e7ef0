// Where and how a run computes: device, type of the activations, threads.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>

#include "uir/dist/rendezvous.h"
#include "uir/ranks/world.h"
#include "uir/train/config.h"

namespace uir {

struct Compute {
  at::Device device = at::kCPU;
  at::ScalarType pixel_type = at::kFloat;
};

// The device that an option names: cpu; cuda:N; cuda: the local rank's, counted round; auto: that, or the CPU
// where LibTorch sees no CUDA device. kConfig if it is not there.
at::Device resolve_device(const std::string& option, const std::string& name, const World& world);

// Resolves auto, sets LibTorch's thread count and this thread's device, and says what was chosen. kConfig for
// a device that is not there or cannot compute in the wanted type.
Compute choose_compute(const TrainConfig& config, const World& world);

// The ranks as their tensors on devices travel (train.ranks.transport). Collectives: two gathers, and NCCL's
// meeting. kConfig, on every rank alike, for CPUs among CUDA devices, for synchronized batch norms on these,
// and if nccl is asked for and a rank's build has none or a device carries several ranks.
std::shared_ptr<const Communicator> device_ranks(const std::shared_ptr<const Communicator>& ranks,
                                                 const RanksConfig& config, at::Device device);

RankTimeouts timeouts_of(const RanksConfig& config);

}  // namespace uir
