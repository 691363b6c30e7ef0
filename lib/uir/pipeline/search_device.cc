#include "uir/pipeline/search_device.h"

#include "uir/base/log.h"
#include "uir/pipeline/compute.h"
#include "uir/search_device/torch_filter.h"

namespace uir {

std::unique_ptr<BlockFilter> device_filter(const EvalConfig& config, const World& world) {
  const at::Device device = resolve_device("eval.device", config.device, world);
  if (device.is_cpu()) return nullptr;
  std::unique_ptr<BlockFilter> filter = fastest_torch_filter(device);
  log_info("searches through pairs: ", filter->name());
  return filter;
}

}  // namespace uir
