#include "uir/pipeline/device_memory.h"

#include <c10/util/Exception.h>

#include <cstdio>
#include <optional>
#include <string>

#include "uir/base/error.h"
#include "uir/base/log.h"
#include "uir/device/memory.h"
#include "uir/pipeline/run_estimate.h"
#include "uir/plan/estimate.h"

namespace uir {

void check_device_memory(const Experiment& experiment, const Index& index, int64_t ranks, at::Device device) {
  const std::optional<int64_t> free = free_memory(device);
  if (!free) return;
  const TrainingPlan plan = training_plan(experiment, counts_of(index), ranks);
  const std::string warning = memory_warning(plan, device.str(), static_cast<double>(*free));
  if (!warning.empty()) log_warning(warning);
}

void log_peak_memory(at::Device device) {
  const std::optional<int64_t> peak = peak_memory(device);
  if (!peak) return;
  char gigabytes[32];
  std::snprintf(gigabytes, sizeof(gigabytes), "%.3f", static_cast<double>(*peak) / 1e9);
  log_info("device memory: peak ", gigabytes, " GB");
}

void with_device_memory(const std::function<void()>& body) {
  try {
    body();
  } catch (const c10::OutOfMemoryError& error) {
    const std::string text = error.what_without_backtrace();
    fail(ErrorKind::kConfig, "train.device: ", text.substr(0, text.find('\n')),
         " Smaller train.batch counts, more train.batch.accumulation or more ranks take less; uir-train "
         "--estimate says "
         "how much");
  }
}

}  // namespace uir
