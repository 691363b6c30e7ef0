// A network as a list of plain operations over its state dict: the one description that the writers of other
// programs' formats walk.
//
// Source: the forward passes of model/iresnet.cc and model/mobilefacenet.cc, in which normalisation, activation and sum
// are fused; every export is compared with them before it is published.
// Cost: the tensors are the network's own; folding copies those that it changes.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "uir/model/backbone.h"

namespace uir {

enum class OpKind { kNormalize, kConv, kBatchNorm, kPRelu, kAdd, kFlatten, kLinear };

struct Op {
  OpKind kind;
  std::string name;  // in the state dict: "layer1.0.conv1"; its tensors are "layer1.0.conv1.weight", …
  std::vector<int64_t> inputs;  // kNetworkInput, or the position of the operation whose result it is
  int64_t kernel = 1, stride = 1, padding = 0, groups = 1;  // of kConv
  bool bias = false;                                        // of kConv and kLinear
};

inline constexpr int64_t kNetworkInput = -1;

// The last operation's result is the embedding.
struct NetworkGraph {
  std::vector<Op> ops;
  std::map<std::string, at::Tensor> tensors;  // float32, and int64 for num_batches_tracked
  int64_t embedding_size = 0;
};

// The backbone made from the config, in evaluation mode.
NetworkGraph network_graph(const ModelConfig& config, const Backbone& backbone);

// Puts (x − 127.5) / 127.5 in front: the input is RGB from 0 to 255.
NetworkGraph with_normalization(NetworkGraph graph);

// The same function with fewer operations: a batch norm becomes part of the convolution or linear layer in front of it,
// or of the linear layer behind it, computed in float64. What stays: batch norms in front of a convolution that pads
// with zeros, where the two are not the same at the borders.
NetworkGraph with_folded_batch_norms(NetworkGraph graph);

}  // namespace uir
