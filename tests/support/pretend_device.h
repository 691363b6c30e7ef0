// A device that is none: tensors whose memory is the CPU's, but which LibTorch takes for another device's.
// What is written for devices runs on it (operators, dispatch, copies, the training loop's late reads), by
// the CPU's operators; and it counts what makes the host wait on a real one. Its copies are never
// asynchronous: streams are not tested by it.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace uir {

inline const at::Device kPretendDevice{at::kXPU, 0};

// Whether gradients flow there: a LibTorch for CUDA asks for its own device in every backward pass of
// another one.
bool pretend_device_has_backward();

// Since the program's start.
struct PretendTraffic {
  int64_t reads = 0;    // values and tensors that the host took from the device
  int64_t scalars = 0;  // single numbers that were copied to it, which waits as well
  int64_t tensors = 0;  // larger ones that were
};
PretendTraffic pretend_traffic();

}  // namespace uir
