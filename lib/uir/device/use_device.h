// Which device this thread computes on.
#pragma once

#include <ATen/core/Tensor.h>

namespace uir {

// Makes it LibTorch's current one, and lets cuDNN find its fastest algorithms by trying: every batch here has
// the same shape. Nothing for a CPU.
void use_device(at::Device device);

}  // namespace uir
