// Weights in a folder of torch.distributed.checkpoint, as FSDP and torchtitan leave them.
//
// The tensors are put together from their pieces, one file of ranks at a time. Of nested dicts ("model.…",
// "optimizer.…") the first of weights.h's names that holds tensors is taken.
// Errors: those of formats/distributed_checkpoint.h and formats/torch_file.h; kMissingInput, naming .metadata
// and the file, for ranks' files that are not there.
#pragma once

#include <span>
#include <string_view>

#include "uir/checkpoint/weights.h"

namespace uir {

Weights read_distributed_weights(const fs::path& folder, std::span<const std::string_view> backbone_keys);

}  // namespace uir
