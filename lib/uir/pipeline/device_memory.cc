#include "uir/pipeline/device_memory.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include "uir/base/error.h"
#include "uir/base/log.h"
#include "uir/device/memory.h"
#include "uir/pipeline/run_estimate.h"
#include "uir/plan/estimate.h"

namespace uir {
namespace {

struct HostMemory {
  double free = 0, most = 0;  // bytes; most: with everything else out of the way, swap included
};

// "MemTotal:       24684084 kB"
double meminfo(const std::string& text, const std::string& name) {
  const size_t at = text.find(name + ":");
  return at == std::string::npos ? 0 : 1024 * std::strtod(text.c_str() + at + name.size() + 1, nullptr);
}

std::optional<double> number_in(const fs::path& file) {
  std::ifstream in(file);
  double number = 0;
  return in >> number ? std::optional(number) : std::nullopt;  // "max": none
}

std::optional<HostMemory> host_memory() {
  std::ifstream file("/proc/meminfo");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  HostMemory memory{meminfo(text, "MemAvailable"), meminfo(text, "MemTotal") + meminfo(text, "SwapTotal")};
  if (memory.most == 0 || memory.free == 0) return std::nullopt;
  const fs::path groups = "/sys/fs/cgroup";
  for (const auto& limit :
       {number_in(groups / "memory.max"), number_in(groups / "memory/memory.limit_in_bytes")}) {
    if (!limit) continue;
    memory.free = std::min(memory.free, *limit);
    memory.most = std::min(memory.most, *limit);
  }
  return memory;
}

std::string host_warning(const TrainingPlan& plan, const World& world) {
  const std::optional<HostMemory> memory = host_memory();
  if (!memory) return {};
  const auto share = static_cast<double>(world.local_size);
  return memory_warning(
      plan, world.local_size > 1 ? "a rank's share of this machine's memory" : "this machine's memory",
      memory->free / share, memory->most / share);
}

}  // namespace

void check_device_memory(const Experiment& experiment, const Index& index, const World& world,
                         at::Device device) {
  Experiment on_device = experiment;
  if (device.is_cpu()) on_device.train.device = "cpu";  // else the plan for `auto` is one for a CUDA device
  const TrainingPlan plan = training_plan(on_device, counts_of(index), world.size);
  std::string warning;
  if (device.is_cpu()) {
    warning = host_warning(plan, world);
  } else if (const std::optional<int64_t> free = free_memory(device)) {
    warning = memory_warning(plan, device.str(), static_cast<double>(*free));
  }
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
