// Whether a training has the memory of its device: before it starts, and when it had not.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

#include "uir/data/index.h"
#include "uir/experiment/experiment.h"
#include "uir/ranks/world.h"

namespace uir {

// plan/estimate.h's memory_warning for the memory that is free on the device now: logged, or thrown.
// CPU: an equal share of the machine's memory (that of the control group, where it sets a limit) for each
// of its ranks. Nothing for a CUDA device with a LibTorch before 2.10, which does not tell.
void check_device_memory(const Experiment& experiment, const Index& index, const World& world,
                         at::Device device);

// Logs the most that the run's tensors held on the device, to be compared with the estimate. Nothing for a
// CPU, and where it is not known.
void log_peak_memory(at::Device device);

// Runs body. If the memory of a device does not suffice there, kConfig with what would help.
void with_device_memory(const std::function<void()>& body);

}  // namespace uir
