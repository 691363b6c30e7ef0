#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>
#include <torch/version.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "uir/base/error.h"
#include "uir/engines/engine.h"
#include "uir/export/check.h"

namespace uir {
namespace {

[[noreturn]] void refused(const std::string& engine, const fs::path& file, const std::string& why) {
  fail(ErrorKind::kInternal, file.string(), ": ", engine, " cannot run the exported file: ", why);
}

}  // namespace

CheckEngine opencv_check_engine(const fs::path& onnx_file, bool plain) {
  const auto guarded = [](const auto& body) {
    try {
      return body();
    } catch (const Error& e) {
      fail(ErrorKind::kInternal, e.what());
    }
  };
  const std::shared_ptr<Engine> engine =
      guarded([&] { return std::shared_ptr<Engine>(opencv_engine(onnx_file, {.plain = plain})); });
  return {plain ? engine->name() + " without fusions" : engine->name(),
          [engine, guarded](const at::Tensor& pixels) {
            const std::vector<float> found =
                guarded([&] { return engine->embed(pixels.data_ptr<float>(), pixels.size(0)); });
            at::Tensor embeddings =
                at::empty({pixels.size(0), static_cast<int64_t>(found.size()) / pixels.size(0)});
            std::copy(found.begin(), found.end(), embeddings.data_ptr<float>());
            return embeddings;
          }};
}

CheckEngine torch_script_engine(const fs::path& torch_script_file) {
  const std::string name = concat("TorchScript of LibTorch ", TORCH_VERSION);
  try {
    torch::jit::Module module = torch::jit::load(torch_script_file.string());
    return {name, [module, name, torch_script_file](const at::Tensor& pixels) mutable {
              const at::NoGradGuard no_grad;
              try {
                return module.forward({pixels}).toTensor();
              } catch (const std::exception& e) {
                refused(name, torch_script_file, e.what());
              }
            }};
  } catch (const c10::Error& e) {
    refused(name, torch_script_file, e.what_without_backtrace());
  }
}

}  // namespace uir
