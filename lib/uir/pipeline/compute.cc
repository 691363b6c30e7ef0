#include "uir/pipeline/compute.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <torch/cuda.h>

#include "uir/base/error.h"
#include "uir/base/log.h"
#include "uir/base/parallel.h"
#include "uir/model/backbone.h"

namespace uir {
namespace {

at::ScalarType resolve_type(Precision precision, at::Device device) {
  switch (precision) {
    case Precision::kAuto:
      return fastest_pixel_type(device);
    case Precision::kFloat32:
      return at::kFloat;
    case Precision::kBFloat16:
      return at::kBFloat16;
    case Precision::kFloat16:
      if (device.is_cpu())
        fail(ErrorKind::kConfig, "train.precision: float16 needs CUDA; use bf16 or auto on a CPU");
      return at::kHalf;
  }
  fail(ErrorKind::kInternal, "no such precision");
}

}  // namespace

at::Device resolve_device(const std::string& option, const std::string& name) {
  if (name == "auto") return at::hasCUDA() ? at::Device(at::kCUDA, 0) : at::Device(at::kCPU);
  try {
    const at::Device device(name);
    if (device.is_cpu()) return device;
    if (at::hasCUDA() && device.is_cuda() && device.index() < static_cast<int>(torch::cuda::device_count())) {
      return device;
    }
  } catch (const c10::Error&) {
    fail(ErrorKind::kConfig, option, ": '", name, "' is no device; expected auto, cpu, cuda or cuda:N");
  }
  fail(ErrorKind::kConfig, option, ": '", name, "', but LibTorch sees no such CUDA device; use auto or cpu");
}

Compute choose_compute(const TrainConfig& config) {
  at::set_num_threads(resolve_threads(static_cast<int>(config.threads)));  // LibTorch may start with one
  const at::Device device = resolve_device("train.device", config.device);
  const at::ScalarType type = resolve_type(config.precision, device);
  log_info("computing on ", device.str(), " in ", c10::toString(type), " with ", at::get_num_threads(),
           " threads");
  return {device, type};
}

RankTimeouts timeouts_of(const RanksConfig& config) {
  const std::chrono::milliseconds timeout(static_cast<int64_t>(config.timeout_s * 1000));
  return {.meeting = timeout, .collective = timeout};
}

}  // namespace uir
