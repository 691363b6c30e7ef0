#include "support/pretend_device.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/_reshape_alias_native.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_strided.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/view_native.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/library.h>

#include <array>
#include <atomic>
#include <tuple>
#include <utility>
#include <vector>

namespace uir {
namespace {

std::atomic<int64_t> reads{0}, scalars{0}, tensors{0};

bool pretends(const at::Tensor& tensor) { return tensor.defined() && tensor.device() == kPretendDevice; }

// The same memory as a tensor of the other device.
at::Tensor on_cpu(const at::Tensor& tensor) {
  if (!pretends(tensor)) return tensor;
  return at::from_blob(
      tensor.data_ptr(), tensor.sizes(), tensor.strides(), [tensor](void*) {},
      at::TensorOptions(tensor.scalar_type()));
}

at::Tensor on_device(const at::Tensor& cpu) {
  const auto release = [](void* kept) { delete static_cast<at::Tensor*>(kept); };
  c10::DataPtr data(cpu.storage().data_ptr().get(), new at::Tensor(cpu), release, kPretendDevice);
  c10::Storage storage(c10::Storage::use_byte_size_t(), cpu.storage().nbytes(), std::move(data),
                       /*allocator=*/nullptr, /*resizable=*/false);
  at::Tensor tensor = at::detail::make_tensor<c10::TensorImpl>(
      std::move(storage), c10::DispatchKeySet(c10::DispatchKey::XPU), cpu.dtype());
  tensor.unsafeGetTensorImpl()->set_storage_offset(cpu.storage_offset());
  tensor.unsafeGetTensorImpl()->set_sizes_and_strides(cpu.sizes(), cpu.strides());
  return tensor;
}

// Any operator that has no other kernel here: the CPU's, on the same memory.
class Detour {
 public:
  c10::IValue to_cpu(const c10::IValue& value) {
    if (value.isTensor()) return stand_in(value.toTensor());
    if (value.isTensorList()) {
      c10::List<at::Tensor> list;
      for (const at::Tensor& tensor : value.toTensorVector()) list.push_back(stand_in(tensor));
      return list;
    }
    if (value.isDevice() && value.toDevice() == kPretendDevice) return at::Device(at::kCPU);
    return value;
  }
  // Results that were empty before, for the operator to size.
  void keep_resized() const {
    for (const auto& [cpu, tensor] : pairs_) {
      if (cpu.sizes() == tensor.sizes()) continue;
      tensor.unsafeGetTensorImpl()->shallow_copy_from(on_device(cpu).getIntrusivePtr());
    }
  }
  c10::IValue back(const c10::IValue& value) const {
    if (value.isTensor()) return original(value.toTensor());
    if (!value.isTensorList()) return value;
    c10::List<at::Tensor> list;
    for (const at::Tensor& tensor : value.toTensorVector()) list.push_back(original(tensor));
    return list;
  }

 private:
  at::Tensor stand_in(const at::Tensor& tensor) {
    if (!pretends(tensor)) return tensor;
    const at::Tensor cpu = tensor.numel() > 0
                               ? on_cpu(tensor)
                               : at::empty(tensor.sizes(), at::TensorOptions(tensor.scalar_type()));
    pairs_.emplace_back(cpu, tensor);
    return cpu;
  }
  at::Tensor original(const at::Tensor& cpu) const {
    for (const auto& [stand_in, tensor] : pairs_) {
      if (stand_in.is_same(cpu)) return tensor;
    }
    return cpu.defined() && cpu.is_cpu() ? on_device(cpu) : cpu;
  }
  std::vector<std::pair<at::Tensor, at::Tensor>> pairs_;
};

void run_on_cpu(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  Detour detour;
  const size_t arguments = op.schema().arguments().size(), results = op.schema().returns().size();
  for (size_t i = stack->size() - arguments; i < stack->size(); ++i) (*stack)[i] = detour.to_cpu((*stack)[i]);
  op.callBoxed(stack);
  detour.keep_resized();
  for (size_t i = stack->size() - results; i < stack->size(); ++i) (*stack)[i] = detour.back((*stack)[i]);
}

using OptionalType = c10::optional<at::ScalarType>;

at::Tensor empty(at::IntArrayRef size, OptionalType type, c10::optional<at::Layout>,
                 c10::optional<at::Device>, c10::optional<bool>, c10::optional<at::MemoryFormat> format) {
  return on_device(at::empty(size, at::TensorOptions(type.value_or(at::kFloat)), format));
}

at::Tensor empty_strided(at::IntArrayRef size, at::IntArrayRef stride, OptionalType type,
                         c10::optional<at::Layout>, c10::optional<at::Device>, c10::optional<bool>) {
  return on_device(at::empty_strided(size, stride, at::TensorOptions(type.value_or(at::kFloat))));
}

at::Tensor& copy(at::Tensor& self, const at::Tensor& from, bool) {
  reads += !pretends(self) && pretends(from);
  const bool sent = pretends(self) && !pretends(from);
  scalars += sent && from.dim() == 0;
  tensors += sent && from.dim() > 0;
  on_cpu(self).copy_(on_cpu(from));
  return self;
}

at::Scalar read_scalar(const at::Tensor& self) {
  ++reads;
  return on_cpu(self).item();
}

at::Tensor convolution(const at::Tensor& x, const at::Tensor& weight, const c10::optional<at::Tensor>& bias,
                       at::IntArrayRef stride, at::IntArrayRef padding, at::IntArrayRef dilation, bool,
                       at::IntArrayRef, int64_t groups) {
  const c10::optional<at::Tensor> cpu_bias = bias ? c10::optional<at::Tensor>(on_cpu(*bias)) : c10::nullopt;
  return on_device(at::conv2d(on_cpu(x), on_cpu(weight), cpu_bias, stride, padding, dilation, groups));
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> convolution_backward(
    const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight, at::IntArrayRef stride,
    at::IntArrayRef padding, at::IntArrayRef dilation, bool transposed, at::IntArrayRef output_padding,
    int64_t groups, std::array<bool, 3> mask) {
  const auto [dx, dw, db] =
      at::convolution_backward(on_cpu(dy), on_cpu(x), on_cpu(weight), c10::nullopt, stride, padding, dilation,
                               transposed, output_padding, groups, mask);
  const auto wrapped = [](const at::Tensor& tensor) { return tensor.defined() ? on_device(tensor) : tensor; };
  return {wrapped(dx), wrapped(dw), wrapped(db)};
}

struct Guard final : c10::impl::DeviceGuardImplInterface {
  c10::DeviceType type() const override { return at::kXPU; }
  c10::Device exchangeDevice(c10::Device) const override { return kPretendDevice; }
  c10::Device getDevice() const override { return kPretendDevice; }
  void setDevice(c10::Device) const override {}
  void uncheckedSetDevice(c10::Device) const noexcept override {}
  c10::Stream getStream(c10::Device) const noexcept override {
    return c10::Stream(c10::Stream::DEFAULT, kPretendDevice);
  }
  c10::Stream exchangeStream(c10::Stream) const noexcept override {
    return c10::Stream(c10::Stream::DEFAULT, kPretendDevice);
  }
  c10::DeviceIndex deviceCount() const noexcept override { return 1; }
};
const c10::impl::DeviceGuardImplRegistrar registrar(at::kXPU, new Guard);

TORCH_LIBRARY_IMPL(_, XPU, m) { m.fallback(torch::CppFunction::makeFromBoxedFunction<&run_on_cpu>()); }
TORCH_LIBRARY_IMPL(aten, XPU, m) {
  m.impl("empty.memory_format", &empty);
  m.impl("empty_strided", &empty_strided);
  m.impl("as_strided", &at::native::as_strided_tensorimpl);
  m.impl("view", &at::native::view);
  m.impl("_reshape_alias", &at::native::_reshape_alias);
  m.impl("copy_", &copy);
  m.impl("_local_scalar_dense", &read_scalar);
  m.impl("convolution_overrideable", &convolution);
  m.impl("convolution_backward_overrideable", &convolution_backward);
}

}  // namespace

bool pretend_device_has_backward() {
#ifdef UIR_TORCH_CUDA
  return false;
#else
  return true;
#endif
}

PretendTraffic pretend_traffic() { return {reads, scalars, tensors}; }

}  // namespace uir
