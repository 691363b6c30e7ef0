#include "uir/pipeline/compute.h"

#include <ATen/Parallel.h>
#include <torch/cuda.h>

#include <set>
#include <utility>
#include <vector>

#include "uir/base/error.h"
#include "uir/base/log.h"
#include "uir/base/parallel.h"
#include "uir/device/use_device.h"
#include "uir/dist/nccl.h"
#include "uir/dist/process_group.h"
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

int64_t num_ranks_where(const Communicator& ranks, bool here) { return ranks.sum(here ? 1 : 0); }

int64_t num_different_devices(const Communicator& ranks, at::Device device) {
  const std::vector<std::string> devices = all_gather_bytes(ranks, device_identity(device));
  return static_cast<int64_t>(std::set<std::string>(devices.begin(), devices.end()).size());
}

}  // namespace

at::Device resolve_device(const std::string& option, const std::string& name, const World& world) {
  const auto count = static_cast<int64_t>(torch::cuda::device_count());
  if (name == "auto" && count == 0) return at::kCPU;
  try {
    at::Device device(name == "auto" ? "cuda" : name);
    if (device.is_cpu()) return device;
    if (device.is_cuda() && count > 0 && !device.has_index())
      device.set_index(static_cast<at::DeviceIndex>(world.local_rank % count));
    if (device.is_cuda() && device.has_index() && device.index() < count) return device;
  } catch (const c10::Error&) {
    fail(ErrorKind::kConfig, option, ": '", name, "' is no device; expected auto, cpu, cuda or cuda:N");
  }
  fail(ErrorKind::kConfig, option, ": '", name, "', but LibTorch sees no such CUDA device; use auto or cpu");
}

Compute choose_compute(const TrainConfig& config, const World& world) {
  at::set_num_threads(resolve_threads(static_cast<int>(config.threads)));  // LibTorch may start with one
  const at::Device device = resolve_device("train.device", config.device, world);
  use_device(device);
  const at::ScalarType type = resolve_type(config.precision, device);
  log_info("computing on ", device.str(), " in ",
           (type == at::kFloat  ? "float32"
            : type == at::kHalf ? "float16"
                                : "bf16"),
           " with ", at::get_num_threads(), " threads");
  return {device, type};
}

std::shared_ptr<const Communicator> device_ranks(const std::shared_ptr<const Communicator>& ranks,
                                                 const RanksConfig& config, at::Device device) {
  const auto several = std::dynamic_pointer_cast<const ProcessGroupCommunicator>(ranks);
  if (!several) return ranks;
  // Every rank comes here, whatever its device, and all of them see the same.
  const int64_t size = ranks->size(), on_cuda = num_ranks_where(*ranks, device.is_cuda());
  if (on_cuda == 0) return ranks;
  if (on_cuda < size) {
    fail(ErrorKind::kConfig, "train.device: ", on_cuda, " of ", size,
         " ranks compute on CUDA devices, the others on CPUs; name the device, or leave those machines out");
  }
  if (config.batch_norm == BatchNormStatistics::kSynchronized)
    fail(ErrorKind::kConfig, "train.ranks.batch_norm: synchronized needs CPUs; use local on CUDA devices");
  const int64_t with_nccl = num_ranks_where(*ranks, has_nccl());
  const int64_t different = with_nccl == size ? num_different_devices(*ranks, device) : 0;
  const bool possible = different == size;
  if (config.transport == DeviceTransport::kNccl && !possible) {
    fail(ErrorKind::kConfig, "train.ranks.transport: nccl, but ",
         with_nccl < size ? concat(size - with_nccl, " ranks run a build without NCCL")
                          : concat(size, " ranks share ", different, " CUDA devices"),
         " (docs/distributed.md); use auto or gloo");
  }
  const bool nccl = possible && config.transport != DeviceTransport::kGloo;
  log_info("ranks talk over ", nccl ? "NCCL" : "Gloo");
  return nccl ? several->with_nccl(device) : ranks;
}

RankTimeouts timeouts_of(const RanksConfig& config) {
  const std::chrono::milliseconds timeout(static_cast<int64_t>(config.timeout_s * 1000));
  return {.meeting = timeout, .collective = timeout};
}

}  // namespace uir
