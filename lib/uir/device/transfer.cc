#include "uir/device/transfer.h"

#include <ATen/ops/empty.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <chrono>
#include <thread>

namespace uir {
namespace {

// How often a device is asked whether it is done: LibTorch has no wait for an event in all its versions.
constexpr std::chrono::microseconds kPause{50};

at::Tensor page_locked_like(const at::Tensor& tensor) {
  return at::empty(tensor.sizes(), tensor.options().device(at::kCPU).pinned_memory(true));
}

}  // namespace

at::Tensor upload(const at::Tensor& host, at::Device device) {
  if (!device.is_cuda()) return host.to(device);
  // LibTorch's allocator keeps the memory from other uses until the copy is done.
  const at::Tensor locked = page_locked_like(host).copy_(host);
  return locked.to(device, host.scalar_type(), /*non_blocking=*/true);
}

Download::Download(const at::Tensor& tensor) {
  const at::Device device = tensor.device();
  if (!device.is_cuda()) {
    host_ = tensor.detach().to(at::kCPU);
    return;
  }
  host_ = page_locked_like(tensor);
  host_.copy_(tensor.detach(), /*non_blocking=*/true);
  arrived_.emplace(device.type());
  arrived_->record(c10::impl::VirtualGuardImpl(device.type()).getStream(device));
}

const at::Tensor& Download::wait() const {
  while (arrived_ && !arrived_->query()) std::this_thread::sleep_for(kPause);
  return host_;
}

}  // namespace uir
