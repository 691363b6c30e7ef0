#include "uir/pipeline/search_device.h"

#include <torch/cuda.h>

#include <string>

#include "uir/base/log.h"
#include "uir/eval_device/torch_filter.h"
#include "uir/pipeline/compute.h"

namespace uir {

std::unique_ptr<BlockFilter> device_filter(const EvalConfig& config, const World& world) {
  at::Device device = resolve_device("eval.device", config.device);
  if (device.is_cpu()) return nullptr;
  if (config.device.find(':') == std::string::npos)
    device.set_index(static_cast<at::DeviceIndex>(world.local_rank % torch::cuda::device_count()));
  std::unique_ptr<BlockFilter> filter = fastest_torch_filter(device);
  log_info("searches through pairs: ", filter->name());
  return filter;
}

}  // namespace uir
