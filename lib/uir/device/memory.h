// The memory of a device.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

namespace uir {

// Bytes that no program holds now; none for a CPU, and with a LibTorch before 2.10.
std::optional<int64_t> free_memory(at::Device device);

// The most bytes that tensors of this process held at a time, since it started; none as above.
std::optional<int64_t> peak_memory(at::Device device);

}  // namespace uir
