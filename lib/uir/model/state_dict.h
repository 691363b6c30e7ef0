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

// Copies tensors into the network after stripping the prefixes module., model., net. and backbone. that all names
// share. Every name of the network must be there, and no other; num_batches_tracked may be missing.
void load_state_dict(Backbone& backbone, const std::map<std::string, at::Tensor>& tensors);

}  // namespace uir
