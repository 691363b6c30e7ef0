// A network's weights by their state-dict names, and back.
//
// Errors: names or shapes that differ are kData with the difference of the names.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "uir/model/backbone.h"

namespace uir {

// Parameters and buffers; the tensors are the network's own, not copies.
std::map<std::string, at::Tensor> state_dict(const Backbone& backbone);

// Copies tensors into the network. Its names stand in `tensors` as they are or behind one prefix that all of
// them share, whatever it is ("module.", "model.backbone.", …); the marks of wrapped modules (_orig_mod. of
// torch.compile, those of FSDP and of activation checkpoints) do not count. Every name of the network must be
// there with its shape; num_batches_tracked alone may be missing (files of old PyTorch versions), and then
// keeps the network's value. What stands beside the network (a head, another module) is left out; further
// tensors in modules that the network has mean another network, and are refused. kData as well where two
// prefixes hold a whole network each, unless the two are equal.
struct LoadedTensors {
  int64_t loaded = 0, of = 0;         // tensors of the network
  int64_t without_counter = 0;        // batch norms whose num_batches_tracked is missing
  std::string prefix;                 // "module."
  std::vector<std::string> left_out;  // names that are not the network's
  bool beside = false;                // whether some of them stand behind the same prefix
};
LoadedTensors load_state_dict(Backbone& backbone, const std::map<std::string, at::Tensor>& tensors);

}  // namespace uir
