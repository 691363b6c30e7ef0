// A network's weights by their state-dict names, and back.
//
// Errors: names or shapes that differ are kData with the difference of the names.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>

#include "uir/model/backbone.h"

namespace uir {

// Parameters and buffers; the tensors are the network's own, not copies.
std::map<std::string, at::Tensor> state_dict(const Backbone& backbone);

// Copies tensors into the network after stripping the prefixes module., model., net. and backbone. that all
// names share. Every name of the network must be there, and no other; num_batches_tracked may be missing
// (files of old PyTorch versions), and then keeps the network's value.
struct LoadedTensors {
  int64_t loaded = 0, of = 0;   // tensors of the network
  int64_t without_counter = 0;  // batch norms whose num_batches_tracked is missing
};
LoadedTensors load_state_dict(Backbone& backbone, const std::map<std::string, at::Tensor>& tensors);

}  // namespace uir
