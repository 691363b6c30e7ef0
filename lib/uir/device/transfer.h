// What travels between host and device while both go on.
//
// A plain copy makes the host wait until the device has done all that it was asked before. These do not:
// numbers for the device leave from page-locked memory, and those that come back are waited for when they
// are needed. On the CPU nothing is copied.
// Threads: free functions; a Download belongs to one thread.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Event.h>

#include <optional>

namespace uir {

// The tensor on the device, for what is queued there from now on. host: on the CPU; free to be changed when
// this returns, but on the CPU, where it is the result itself.
at::Tensor upload(const at::Tensor& host, at::Device device);

// The numbers that a tensor will have when the device has done what was queued before.
class Download {
 public:
  Download() = default;
  explicit Download(const at::Tensor& tensor);  // starts, and does not wait

  // On the CPU. Waits for the device; its errors come here.
  const at::Tensor& wait() const;

 private:
  at::Tensor host_;
  std::optional<c10::Event> arrived_;  // unless there is nothing to wait for
};

}  // namespace uir
