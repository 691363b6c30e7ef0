// What may be asked of an exported file. Free of LibTorch. Threads: pure functions.
#pragma once

#include <cstdint>
#include <optional>

#include "uir/base/file.h"

namespace uir {

enum class ExportKind { kOnnx, kTorchScript, kStateDict };

struct ExportOptions {
  fs::path output;                              // .onnx, .pt (TorchScript) or .pth (state dict)
  std::optional<int64_t> opset = std::nullopt;  // of .onnx; none: kDefaultOpset
  bool normalize = false;                       // the file takes RGB from 0 to 255
  // Makes batch norms part of neighbouring layers. None: in .onnx files, where several programs compute a
  // convolution and its batch norm wrongly (docs/export.md), but not in .pt.
  std::optional<bool> fold_batch_norms = std::nullopt;
  double tolerance = 1e-5;  // of compare_with_network's difference
};

// Of all opsets that are written what most programs read.
inline constexpr int64_t kDefaultOpset = 17;

// Throws kUsage for an ending that says no kind, and for options that do not fit the kind.
ExportKind checked_kind(const ExportOptions& options);

}  // namespace uir
