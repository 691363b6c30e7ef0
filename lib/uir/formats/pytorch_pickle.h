// The pickle inside a PyTorch state-dict file (.pth): an OrderedDict from names to tensors whose values lie
// beside it.
//
// Format: protocol 2, as torch.save writes it since 1.6, and nothing but the globals that torch.load takes
// with weights_only: collections.OrderedDict, torch._utils._rebuild_tensor_v2, torch.FloatStorage,
// torch.LongStorage. The values of tensor i are the zip's entry data/i, little-endian, row by row. Free of
// LibTorch.
// Cost: some hundred bytes per tensor. Errors: kInternal for other element types.
#pragma once

#include <string>
#include <vector>

#include "uir/formats/safetensors.h"

namespace uir {

std::string pytorch_state_pickle(const std::vector<TensorInfo>& tensors);

}  // namespace uir
