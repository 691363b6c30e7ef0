// A network as operations over its state dict: the one form that the writers of other programs' formats walk.
//
// The operations are the blueprint's, one by one; the live network computes some of them together, so every
// export is compared with it before it is published (check.h).
// Cost: the tensors are the network's own; folding copies those that it changes.
// Threads: pure functions; nothing may train the network while a graph of it is in use.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "uir/model/backbone.h"
#include "uir/network/blueprint.h"

namespace uir {

// The last operation's result is the embedding.
struct NetworkGraph {
  std::vector<Op> ops;
  std::map<std::string, at::Tensor> tensors;  // float32, and int64 for num_batches_tracked
  int64_t embedding_size = 0;
};

// The network as it is in evaluation mode.
NetworkGraph network_graph(const Backbone& backbone);

// Puts kNormalize in front: the input is RGB from 0 to 255.
NetworkGraph with_normalization(NetworkGraph graph);

// The same function with fewer operations: a batch norm becomes part of the convolution or linear layer in
// front of it, or of the linear layer behind it, computed in float64. What stays: batch norms in front of a
// convolution that pads with zeros, where the two are not the same at the borders. The tensors of those that
// are gone are gone too; layers that took one have a bias.
NetworkGraph with_folded_batch_norms(NetworkGraph graph);

}  // namespace uir
