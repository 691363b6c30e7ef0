// uir-export [CONFIG] OUTPUT: writes a network as ONNX, TorchScript or PyTorch state dict, checked before it
// appears.
#include "app.h"
#include "uir/base/blas.h"
#include "uir/pipeline/run_export.h"

int main(int argc, char** argv) {
  uir::choose_blas_kernels(argv);
  uir::App app("uir-export", uir::Ranks::kOne);
  uir::ExportRequest request;
  std::string output, weights;
  CLI::App& cli = app.cli();
  cli.add_option("output", output, "The file to write; its ending says what it is");
  cli.add_option(
      "--weights", weights,
      "Checkpoint folder, .safetensors, .pt, .pth or .onnx file, or a folder of InsightFace's "
      "checkpoint_gpu_*.pt "
      "(default: the run's best checkpoint, else its latest). Weights of ours need no experiment file, of "
      "others its model section says what they are");
  cli.add_option("--opset", request.file.opset, "Of an ONNX file, 11 to 21 (default: 17)");
  cli.add_flag("--normalize", request.file.normalize,
               "Put (x - 127.5) / 127.5 into the file, which then takes RGB from 0 to 255");
  bool fold = false, keep = false;
  CLI::Option* const folding =
      cli.add_flag("--fold-batch-norms", fold,
                   "Make batch norms part of the neighbouring layer where that is exact (default for .onnx)");
  cli.add_flag("--keep-batch-norms", keep, "Keep batch norms as they are (default for .pt)")
      ->excludes(folding);
  cli.add_option("--tolerance", request.file.tolerance,
                 "Largest difference allowed in the check, relative to the embedding's norm")
      ->check(uir::number_between(0., 1e9))
      ->capture_default_str();
  cli.add_option("--check-images", request.check_images, "Faces that the check takes")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  return app.run_with_operand(argc, argv, output, [&](const uir::Experiment* experiment) {
    request.file.output = output;
    if (fold || keep) request.file.fold_batch_norms = fold;
    request.weights = weights;
    if constexpr (uir::kWorker) uir::run_export(experiment, request);
  });
}
