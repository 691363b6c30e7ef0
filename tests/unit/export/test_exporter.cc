// Which files may be asked for, and that one appears only after its check. tests/cli/export.sh runs the
// program.
#include "uir/export/exporter.h"

#include <ATen/ATen.h>

#include "support/catch.h"
#include "support/errors.h"
#include "support/temp_folder.h"

namespace uir {
namespace {

ExportedNetwork small_network() {
  const ModelConfig config{MobileFaceNetConfig{.width = 0.0625, .embedding_size = 8}};
  const auto backbone = make_backbone(config, 1);
  backbone->eval();
  return {config, backbone, "0123456789abcdef"};
}

CheckFaces faces(int64_t count) {
  const auto generator = at::make_generator<at::CPUGeneratorImpl>(5);
  return {"random faces", at::randint(0, 256, {count, 112, 112, 3}, generator, at::TensorOptions(at::kByte))};
}

TEST_CASE("the ending says what to write, and options must fit it", "[export]") {
  CHECK(checked_kind({.output = "a/b.onnx", .opset = 17, .normalize = true}) == ExportKind::kOnnx);
  CHECK(checked_kind({.output = "b.pt", .fold_batch_norms = true}) == ExportKind::kTorchScript);
  CHECK(checked_kind({.output = "b.pth"}) == ExportKind::kStateDict);
  for (const ExportOptions& wrong :
       {ExportOptions{.output = "b"}, ExportOptions{.output = "b.bin"}, ExportOptions{.output = "b.ONNX"},
        ExportOptions{.output = "b.pt", .opset = 12}, ExportOptions{.output = "b.pth", .opset = 12},
        ExportOptions{.output = "b.pth", .normalize = true},
        ExportOptions{.output = "b.pth", .fold_batch_norms = true}}) {
    CHECK(fails_with(ErrorKind::kUsage, [&] { checked_kind(wrong); }));
  }
}

TEST_CASE("a file appears only after its check", "[export]") {
  const TempFolder folder;
  const ExportedNetwork network = small_network();
  for (const char* name : {"network.onnx", "network.pt"}) {
    ExportOptions options{.output = folder / name, .tolerance = -1};
    CHECK(fails_with(ErrorKind::kData, [&] { export_network(options, network, [] { return faces(3); }); }));
    CHECK_FALSE(fs::exists(options.output));
    options.tolerance = 1e-5;
    export_network(options, network, [] { return faces(3); });
    CHECK(fs::exists(options.output));
  }
}

TEST_CASE("a state dict is read back and needs no faces", "[export]") {
  const TempFolder folder;
  const ExportOptions options{.output = folder / "network.pth"};
  export_network(options, small_network(), []() -> CheckFaces { throw std::logic_error("asked for faces"); });
  CHECK(fs::exists(options.output));
}

}  // namespace
}  // namespace uir
