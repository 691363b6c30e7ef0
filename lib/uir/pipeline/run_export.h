// Writes a network as a file for other programs, and publishes it only after another engine has computed the
// same embeddings with it.
#pragma once

#include <cstdint>

#include "uir/base/file.h"
#include "uir/experiment/experiment.h"
#include "uir/export/options.h"

namespace uir {

struct ExportRequest {
  ExportOptions file;
  fs::path weights;  // checkpoint folder or safetensors file; empty: those of the experiment's run
  int64_t check_images = 10;
};

// Without an experiment, the weights say what network they belong to and the check takes drawn faces. Throws
// kUsage for options that do not fit the kind of file; kData, with nothing written, if the check fails.
void run_export(const Experiment* experiment, const ExportRequest& request);

}  // namespace uir
