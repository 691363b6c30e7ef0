// Weights to start from or to extract with: a backbone, and the class centers beside it. Ours or anyone's:
//
//   checkpoint folder         ours; only the files that are asked for are read and verified
//   .safetensors              a state dict
//   .pt, .pth, .ckpt          of PyTorch (formats/torch_file.h): a state dict, bare or in dicts: under the first
//                             of state_dict_backbone, backbone, state_dict, model_state_dict, model and net that
//                             holds tensors, at every level; where none does, the tensors of all dicts
//   folder with .metadata     of torch.distributed.checkpoint (distributed_weights.h)
//   ….index.json, its folder  shards of .safetensors or .bin (sharded_weights.h)
//   .onnx                     one of our networks, from anyone (onnx/state_dict.h)
//   folder of                 of InsightFace's arcface_torch, one file per rank: the backbone of rank 0, and
//   checkpoint_gpu_0.pt …     the ranks' class centers in order (PartialFC: of C classes rank r holds C / k,
//   checkpoint_gpu_k-1.pt     and one more if r < C mod k)
// What a file is, its content tells; others are refused by name (formats/weights_kind.h). Cost: one read of
// the files; centers are copied row by row when asked for.
// Errors: kMissingInput; kData naming file and place, ranks that are missing or do not belong together
// included.
// Threads: const after construction.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "uir/base/file.h"
#include "uir/checkpoint/tensor_io.h"

namespace uir {

struct Weights {
  NamedTensors tensors;  // as the file names them, prefixes included
  Metadata metadata;  // ours: "architecture" (JSON), "color_order" … (docs/checkpoints.md); others: empty
  std::string checksum;  // of the file, or of all ranks' files, 16 hex digits
  std::string kind;      // for people: "PyTorch file, state_dict_backbone"
  // Keys of the file under which other tensors stand, which are not among `tensors`: "state_dict_ema".
  std::vector<std::string> left_out{};
};
// The backbone's tensors, in CPU memory and of the file's types; class centers are not read.
Weights read_weights(const fs::path& path);

struct ClassCenters {
  int64_t num_classes = 0, dim = 0;
  // Of the identities in class order (Checkpoint::classes_fingerprint); empty: the files do not tell them.
  std::string classes_fingerprint;
  std::string kind;  // for people: "8 ranks of InsightFace"
  // The rows (each in [0, num_classes), any order) as float32 [n, D] in CPU memory, copied from the files,
  // which it keeps open.
  std::function<at::Tensor(std::span<const int64_t> rows)> read;
};
// None if the weights bring no class centers.
std::optional<ClassCenters> read_class_centers(const fs::path& path);

}  // namespace uir
