// What may be asked of an exported file. Free of LibTorch. Threads: pure functions.
#pragma once

#include <cstdint>
#include <optional>

#include "uir/base/file.h"

namespace uir {

enum class ExportKind { kOnnx, kTorchScript, kStateDict };

struct ExportOptions {
  fs::path output;  // .onnx, .pt (TorchScript) or .pth (state dict)
  std::optional<int64_t> opset = std::nullopt;
  bool normalize = false;  // the file takes RGB from 0 to 255
  bool fold_batch_norms = false;
  double tolerance = 1e-5;  // of compare_with_network's difference
};

// Throws kUsage for an ending that says no kind, and for options that do not fit the kind.
ExportKind checked_kind(const ExportOptions& options);

}  // namespace uir
