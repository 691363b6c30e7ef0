// An ONNX network computed by LibTorch's operators, on any device: the engine that every program has.
//
// Shapes: pixels float32 [B, 3, 112, 112], prepared as the network wants them → float32 [B, D]; convolutions
// run channels-last in the given type, products of matrices and what follows them in float32.
// Cost: batch norms behind convolutions are folded into them (in float64); a batch norm, a PReLU and a sum
// that follow a convolution are one pass over memory (model/batch_norm.h).
// Errors: kData, naming the node, for what LibTorch has no operator for here. Threads: one call at a time.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "uir/model/onnx_operators.h"
#include "uir/onnx/face_network.h"

namespace uir {

class OnnxNetwork {
 public:
  // The constants are copied: the file's are no longer needed afterwards.
  OnnxNetwork(const FaceNetwork& network, at::ScalarType type, at::Device device, int threads);

  // Without gradients. Of a file whose batch is fixed, B must be that.
  at::Tensor forward(const at::Tensor& pixels) const;

  using Inputs = std::vector<const OnnxTorchValue*>;
  struct Step {
    std::vector<std::string> inputs;
    std::string output;
    std::function<OnnxTorchValue(const Inputs&)> compute;
    std::vector<std::string> released{};  // values that no later step reads
  };

 private:
  std::string input_, output_;
  int64_t embedding_size_;
  std::map<std::string, OnnxTorchValue> constants_;
  std::vector<Step> steps_;
};

}  // namespace uir
