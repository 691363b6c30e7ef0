// The device that the tests tagged [device] run on: the one that the variable UIR_TEST_DEVICE names;
// without it the one that only pretends (pretend_device.h), or the CPU, then compared with itself, where
// that cannot train.
#pragma once

#include <ATen/Context.h>

#include <cstdlib>

#include "support/pretend_device.h"
#include "uir/device/use_device.h"

namespace uir {

// With convolutions in float32 that are what they are called: CUDA's would be TensorFloat-32 ones.
inline at::Device test_device() {
  const char* const name = std::getenv("UIR_TEST_DEVICE");
  if (!name || !*name) return pretend_device_has_backward() ? kPretendDevice : at::Device(at::kCPU);
  at::Device device(name);
  if (device.is_cpu()) return device;
  if (!device.has_index()) device.set_index(0);
  use_device(device);
  at::globalContext().setAllowTF32CuDNN(false);
  return device;
}

}  // namespace uir
