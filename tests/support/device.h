// The device that the tests tagged [device] run on: the one that the variable UIR_TEST_DEVICE names,
// otherwise the CPU, which is then compared with itself.
#pragma once

#include <ATen/Context.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <cstdlib>

namespace uir {

// With convolutions in float32 that are what they are called: CUDA's would be TensorFloat-32 ones.
inline at::Device test_device() {
  const char* const name = std::getenv("UIR_TEST_DEVICE");
  at::Device device(name && *name ? name : "cpu");
  if (device.is_cpu()) return device;
  if (!device.has_index()) device.set_index(0);
  c10::impl::VirtualGuardImpl(device.type()).setDevice(device);
  at::globalContext().setAllowTF32CuDNN(false);
  return device;
}

}  // namespace uir
