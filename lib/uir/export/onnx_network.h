// A network as an ONNX file: input "data" float32 [B, 3, 112, 112], output "embedding" float32 [B, D].
//
// Initializers have the names of the state dict. The operators used (Conv, BatchNormalization, PRelu, Add,
// Flatten, Gemm; Sub and Mul for the normalisation) mean the same in opsets 11 to 21.
// Errors: those of write_onnx. Cost: nothing is copied. Threads: one writer per file.
#pragma once

#include <map>
#include <string>

#include "uir/base/file.h"
#include "uir/export/network_graph.h"

namespace uir {

void write_onnx_network(const NetworkGraph& graph, int64_t opset,
                        const std::map<std::string, std::string>& metadata, OutputFile& out);

}  // namespace uir
