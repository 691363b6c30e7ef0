// An ONNX network computed by LibTorch's operators, on any device: the engine that every program has.
//
// Shapes: pixels float32 [B, 3, 112, 112], prepared as the network wants them → float32 [B, D]; convolutions
// run channels-last in the given type, products of matrices and what follows them in float32.
// In int8, on CPUs with AVX-512 VNNI: dense convolutions that have ranges, in the type bf16.
// Cost: batch norms behind convolutions are folded into them (in float64); a batch norm, a PReLU and a sum
// that follow a convolution are one pass over memory (model/batch_norm.h).
// Errors: kData, naming the node, for what LibTorch has no operator for here. Threads: one call at a time.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "uir/model/int8_ranges.h"
#include "uir/model/onnx_operators.h"
#include "uir/onnx/face_network.h"

namespace uir {

class OnnxNetwork {
 public:
  // The constants are copied: the file's are no longer needed afterwards.
  // int8: by the name of what a convolution, with what is joined to it, computes.
  OnnxNetwork(const FaceNetwork& network, at::ScalarType type, at::Device device, int threads,
              const Int8Ranges& int8 = {});

  // Without gradients. Of a file whose batch is fixed, B must be that.
  at::Tensor forward(const at::Tensor& pixels) const;

  // The ranges that int8 needs, over all pixels that `run` gives forward; of a network in float on a CPU with
  // AVX-512. None: no convolution can be computed in int8.
  Int8Ranges find_int8_ranges(const std::function<void()>& run);

  using Inputs = std::vector<const OnnxTorchValue*>;
  struct Step {
    std::vector<std::string> inputs;
    std::string output;
    std::function<OnnxTorchValue(const Inputs&)> compute;
    std::vector<std::string> released{};  // values that no later step reads
  };

 private:
  // To which convolutions add.
  using Samples = std::shared_ptr<std::optional<RangeSamples>>;
  const Samples samples_ = std::make_shared<std::optional<RangeSamples>>();
  std::string input_, output_;
  int64_t embedding_size_;
  std::map<std::string, OnnxTorchValue> constants_;
  std::vector<Step> steps_;
};

}  // namespace uir
