// Weights in several files with an index, as Hugging Face's libraries save them:
// model.safetensors.index.json or pytorch_model.bin.index.json beside its shards.
//
// Errors: kData for an index without weight_map, names that lead out of its folder, and a tensor that its
// shard does not have; kMissingInput, naming index and shard, for a shard that is not there.
#pragma once

#include <functional>
#include <optional>

#include "uir/checkpoint/weights.h"

namespace uir {

// The index that the path is, or that the folder holds; none for anything else.
std::optional<fs::path> shard_index(const fs::path& path);

// The tensors that the index names, each from its shard; read: of a single file.
Weights read_sharded_weights(const fs::path& index, const std::function<Weights(const fs::path&)>& read);

}  // namespace uir
