// A network as PyTorch's files: a TorchScript program (.pt), a state dict (.pth) with InsightFace's names.
//
// Both are written by LibTorch's zip writer with the archive name "archive", so that their bytes do not
// depend on the file's name.
// Errors: failed writes as OutputFile; what LibTorch refuses is kInternal. Threads: one writer at a time.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "uir/base/file.h"
#include "uir/export/network_graph.h"

namespace uir {

// forward(data [B, 3, 112, 112]) → [B, D]. Its module tree, and so its state dict, has the graph's names;
// extra file "metadata.json" holds the metadata. torch.jit.load reads it, in C++ and Python, from LibTorch
// 1.13 on.
void write_torch_script(const NetworkGraph& graph, const std::map<std::string, std::string>& metadata,
                        OutputFile& out);

// An OrderedDict of the tensors, in their order, that torch.load reads also with weights_only.
using NamedState = std::vector<std::pair<std::string, at::Tensor>>;
void write_state_dict(const NamedState& state, OutputFile& out);

// Reads the file back, its checksums included: kData if an entry is missing or differs from what should be
// there.
void check_state_dict(const NamedState& state, const fs::path& file);

}  // namespace uir
