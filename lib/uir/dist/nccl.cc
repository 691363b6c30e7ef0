#include "uir/dist/nccl.h"

#include "uir/base/error.h"

#ifdef UIR_HAS_NCCL

#ifndef USE_C10D_NCCL  // as USE_C10D_GLOO in compat.h
#define USE_C10D_NCCL
#endif
#include <ATen/cuda/CUDAContext.h>
#include <torch/csrc/cuda/nccl.h>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

namespace uir {
namespace {

// Options holds a struct of nccl.h, whose size differs between versions: LibTorch would read past it.
void check_version() {
  const uint64_t found = torch::cuda::nccl::version();
  constexpr uint64_t kBuiltWith = uint64_t{NCCL_MAJOR} << 32 | NCCL_MINOR << 16 | NCCL_PATCH;
  if (found >> 16 == kBuiltWith >> 16) return;
  fail(ErrorKind::kConfig, "this program was built with nccl.h ", NCCL_MAJOR, '.', NCCL_MINOR,
       ", but LibTorch uses NCCL ", found >> 32, '.', found >> 16 & 0xffff,
       ": build it with that header (UIR_NCCL_INCLUDE), or set train.ranks.transport to gloo");
}

c10d::ProcessGroupNCCL& nccl(CollectiveBackend& group) { return static_cast<c10d::ProcessGroupNCCL&>(group); }

}  // namespace

bool has_nccl() { return true; }

std::string device_identity(at::Device device) {
  const cudaDeviceProp& properties = *at::cuda::getDeviceProperties(device.index());
  return {properties.uuid.bytes, sizeof properties.uuid.bytes};
}

c10::intrusive_ptr<CollectiveBackend> make_nccl_group(const c10::intrusive_ptr<c10d::Store>& store,
                                                      int64_t rank, int64_t size,
                                                      std::chrono::milliseconds timeout) {
  check_version();
  const auto options = c10d::ProcessGroupNCCL::Options::create();
  options->timeout = timeout;
  return c10::make_intrusive<c10d::ProcessGroupNCCL>(store, static_cast<int>(rank), static_cast<int>(size),
                                                     options);
}

void close_nccl_group(CollectiveBackend& group) { nccl(group).shutdown(); }
void abort_nccl_group(CollectiveBackend& group) { nccl(group).abort(); }

}  // namespace uir

#else

namespace uir {

bool has_nccl() { return false; }
std::string device_identity(at::Device) { return {}; }

c10::intrusive_ptr<CollectiveBackend> make_nccl_group(const c10::intrusive_ptr<c10d::Store>&, int64_t,
                                                      int64_t, std::chrono::milliseconds) {
  fail(ErrorKind::kInternal, "this build has no NCCL");
}
void close_nccl_group(CollectiveBackend&) {}
void abort_nccl_group(CollectiveBackend&) {}

}  // namespace uir

#endif
