// Folders of torch.distributed.checkpoint (.metadata and .distcp files) without PyTorch: where the pieces of
// each tensor lie. Read from strangers without trust.
//
// .metadata is a pickle of dataclasses, of which names, sizes and places are taken and nothing is executed; a
// piece of a tensor is what torch.save wrote, at an offset of a .distcp file (torch_file.h reads it). What is
// no tensor (step counts, settings) is passed over.
// Shapes: the pieces of a tensor cover it without gap or overlap. Cost: one pass over .metadata.
// Errors: kMissingInput; kData naming .metadata and the tensor for pieces that do not cover it, files outside
// the folder, compressed pieces.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "uir/base/file.h"

namespace uir {

struct DistributedTensor {
  struct Piece {
    std::vector<int64_t> offsets, sizes;  // in the tensor
    std::string file;                     // in the folder
    uint64_t begin = 0, length = 0;       // in the file [bytes]
  };
  std::string name;  // "model.layer1.0.conv1.weight"
  std::vector<int64_t> shape;
  std::vector<Piece> pieces;
};

// Whether the folder is one: it holds a .metadata.
bool is_distributed_checkpoint(const fs::path& folder);
// By name.
std::vector<DistributedTensor> read_distributed_checkpoint(const fs::path& folder);
// From its .metadata, wherever this lies.
std::vector<DistributedTensor> read_distributed_metadata(const fs::path& metadata, const fs::path& folder);

}  // namespace uir
