// An ONNX file that is one of our networks, as that network's weights: what a training can start from.
//
// The nodes are followed along the blueprint, operation by operation, whatever they are called. A batch norm
// that was folded into its neighbour becomes one that changes nothing but adds the neighbour's bias; one
// with another epsilon gets a variance with which ours computes the same.
// Shapes: tensors have the names and shapes of the state dict, without num_batches_tracked.
// Source: the blueprint (network/blueprint.h); the config from metadata of ours, else from the number and the
// width of the layers.
// Errors: kData naming the first layer that differs, where the file is another network. Threads: pure
// functions.
#pragma once

#include <map>
#include <string>

#include "uir/network/config.h"
#include "uir/onnx/array.h"
#include "uir/onnx/face_network.h"

namespace uir {

struct OnnxStateDict {
  ModelConfig config;
  std::map<std::string, Array> tensors;
};
OnnxStateDict state_dict_of(const FaceNetwork& network);

}  // namespace uir
