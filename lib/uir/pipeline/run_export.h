// Writes a network as a file for other programs, and publishes it only after another engine has computed the same
// embeddings with it.
#pragma once

#include <cstdint>
#include <optional>

#include "uir/base/file.h"
#include "uir/experiment/experiment.h"

namespace uir {

struct ExportRequest {
  fs::path output;   // .onnx, .pt (TorchScript) or .pth (state dict)
  fs::path weights;  // checkpoint folder or safetensors file; empty: those of the experiment's run
  std::optional<int64_t> opset;
  bool normalize = false;
  bool fold_batch_norms = false;
  double tolerance = 1e-5;  // of compare_with_network's difference
  int64_t check_images = 8;
};

// Without an experiment, the weights say what network they belong to and the check takes drawn faces. Throws kUsage for
// options that do not fit the kind of file; kData, with nothing written, if the check fails.
void run_export(const Experiment* experiment, const ExportRequest& request);

}  // namespace uir
