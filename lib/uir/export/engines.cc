#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>
#include <torch/version.h>

#include <algorithm>
#include <opencv2/core/version.hpp>
#include <opencv2/dnn.hpp>

#include "uir/base/error.h"
#include "uir/export/check.h"

namespace uir {
namespace {

[[noreturn]] void refused(const std::string& engine, const fs::path& file, const std::string& why) {
  fail(ErrorKind::kInternal, file.string(), ": ", engine, " cannot run the exported file: ", why);
}

at::Tensor run(cv::dnn::Net& net, const at::Tensor& pixels) {
  const std::vector<int> sizes(pixels.sizes().begin(), pixels.sizes().end());
  net.setInput(cv::Mat(sizes, CV_32F, pixels.data_ptr<float>()));
  const cv::Mat out = net.forward();
  at::Tensor embeddings = at::empty({out.size[0], static_cast<int64_t>(out.total()) / out.size[0]});
  std::copy_n(out.ptr<float>(), out.total(), embeddings.data_ptr<float>());
  return embeddings;
}

}  // namespace

Engine opencv_engine(const fs::path& onnx_file) {
  const std::string name = concat("OpenCV ", CV_VERSION);
  try {
    cv::dnn::Net net = cv::dnn::readNetFromONNX(onnx_file.string());
    net.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
    net.setPreferableTarget(cv::dnn::DNN_TARGET_CPU);
    // OpenCV 4.10 computes another network when it joins the layers of a wide MobileFaceNet.
    net.enableFusion(false);
#if CV_VERSION_MAJOR > 4 || CV_VERSION_MINOR >= 7
    net.enableWinograd(false);  // whose sums are less exact
#endif
    return {name, [net, name, onnx_file](const at::Tensor& pixels) mutable {
              try {
                return run(net, pixels);
              } catch (const cv::Exception& e) {
                refused(name, onnx_file, e.what());
              }
            }};
  } catch (const cv::Exception& e) {
    refused(name, onnx_file, e.what());
  }
}

Engine torch_script_engine(const fs::path& torch_script_file) {
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
