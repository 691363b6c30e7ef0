// The packed weights of the convolutions that inference computes in fewer multiplications, with the batch
// norms and PReLUs around them: made when they are first wanted, and again after the network changed.
// Memory: float 4 times the weights of a 3×3 convolution of stride 1, bf16 0.9 times its float weights.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <functional>
#include <map>

#include "uir/model/inference_conv.h"

namespace uir {

class FusedConvs {
 public:
  struct Fused {
    InferenceConv conv;
    ConvEdges edges;  // without residual
  };

  // Forgets what is packed unless the network's tensors are the ones that it was packed from, unchanged.
  // Kernels of our own write weights without telling LibTorch; they do so in training, behind which forget()
  // is called.
  void check(const torch::nn::Module& network, at::ScalarType type);
  void forget() { packed_.clear(); }
  const Fused& get(int64_t op, const std::function<Fused()>& make);

 private:
  uint64_t state_ = 0;
  std::map<int64_t, Fused> packed_;
};

}  // namespace uir
