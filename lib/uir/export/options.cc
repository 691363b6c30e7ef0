#include "uir/export/options.h"

#include "uir/base/error.h"

namespace uir {
namespace {

ExportKind kind_of(const fs::path& output) {
  const std::string ending = output.extension().string();
  if (ending == ".onnx") return ExportKind::kOnnx;
  if (ending == ".pt") return ExportKind::kTorchScript;
  if (ending == ".pth") return ExportKind::kStateDict;
  fail(ErrorKind::kUsage, output.string(),
       ": the file's ending says what to write; expected .onnx, .pt (TorchScript) or .pth (state dict)");
}

}  // namespace

ExportKind checked_kind(const ExportOptions& options) {
  const ExportKind kind = kind_of(options.output);
  if (options.opset && kind != ExportKind::kOnnx) fail(ErrorKind::kUsage, "--opset is for .onnx files");
  if (kind == ExportKind::kStateDict && (options.normalize || options.fold_batch_norms.value_or(false))) {
    fail(ErrorKind::kUsage, options.output.string(),
         ": a state dict holds tensors only; --normalize and --fold-batch-norms are for .onnx and .pt files");
  }
  return kind;
}

}  // namespace uir
