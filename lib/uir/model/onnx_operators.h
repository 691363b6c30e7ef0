// The operators of ONNX networks on LibTorch's tensors, node by node; what onnx_network.cc does not join.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

#include "uir/onnx/operators.h"

namespace uir {

// A value while a network is computed: a tensor on the device, or numbers that depend on shapes alone.
struct OnnxTorchValue {
  at::Tensor tensor{};
  std::optional<Array> array{};
};

at::Tensor tensor_of(const Array& array, const at::TensorOptions& options);

// The node's first result. call: its attributes, and those of its inputs that are arrays; inputs: all, null
// where one is not given, at least one of them a tensor. kData, naming the node, for what is not computed
// here.
OnnxTorchValue compute_on_torch(const OnnxCall& call, const std::vector<const OnnxTorchValue*>& inputs);

}  // namespace uir
