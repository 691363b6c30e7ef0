#include "uir/device/memory.h"

#include "uir/device/compat.h"

#if UIR_TORCH_AT_LEAST(2, 10)
#include <c10/core/CachingDeviceAllocator.h>
#endif

namespace uir {

std::optional<int64_t> free_memory([[maybe_unused]] at::Device device) {
#if UIR_TORCH_AT_LEAST(2, 10)
  if (device.is_cuda())
    return static_cast<int64_t>(c10::getDeviceAllocator(device.type())->getMemoryInfo(device.index()).first);
#endif
  return std::nullopt;
}

std::optional<int64_t> peak_memory([[maybe_unused]] at::Device device) {
#if UIR_TORCH_AT_LEAST(2, 10)
  if (device.is_cuda()) {
    constexpr auto kAll = static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE);
    return c10::getDeviceAllocator(device.type())->getDeviceStats(device.index()).allocated_bytes[kAll].peak;
  }
#endif
  return std::nullopt;
}

}  // namespace uir
