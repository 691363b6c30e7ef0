#include "uir/pipeline/compute.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/cuda.h>

#include <utility>

#include "uir/base/error.h"
#include "uir/base/log.h"
#include "uir/base/parallel.h"
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
  if (!device.is_cpu()) c10::impl::VirtualGuardImpl(device.type()).setDevice(device);
  const at::ScalarType type = resolve_type(config.precision, device);
  log_info("computing on ", device.str(), " in ", c10::toString(type), " with ", at::get_num_threads(),
           " threads");
  return {device, type};
}

std::shared_ptr<const Communicator> device_ranks(std::shared_ptr<const Communicator> ranks,
                                                 DeviceTransport transport, at::Device device,
                                                 const World& world) {
  const auto several = std::dynamic_pointer_cast<const ProcessGroupCommunicator>(ranks);
  if (!several || device.is_cpu()) return ranks;
  const bool own_device = device.index() == world.local_rank;  // unless the config names one for all
  const bool everywhere = ranks->sum(has_nccl() && own_device ? 1 : 0) == ranks->size();
  if (transport == DeviceTransport::kNccl && !everywhere) {
    fail(ErrorKind::kConfig, "train.ranks.transport: nccl, but ",
         has_nccl() ? std::string(
                          "ranks share CUDA devices, on this machine or another one; NCCL wants one for each")
                    : std::string("this build has no NCCL (docs/distributed.md)"),
         "; use auto or gloo");
  }
  const bool nccl = everywhere && transport != DeviceTransport::kGloo;
  log_info("ranks talk over ", nccl ? "NCCL" : "Gloo");
  return nccl ? several->with_nccl() : ranks;
}

RankTimeouts timeouts_of(const RanksConfig& config) {
  const std::chrono::milliseconds timeout(static_cast<int64_t>(config.timeout_s * 1000));
  return {.meeting = timeout, .collective = timeout};
}

}  // namespace uir
