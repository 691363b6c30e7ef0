#include "uir/checkpoint/tensor_io.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "uir/base/error.h"

namespace uir {
namespace {

constexpr std::pair<TensorType, at::ScalarType> kTypes[] = {
    {TensorType::kFloat64, at::kDouble}, {TensorType::kFloat32, at::kFloat},
    {TensorType::kFloat16, at::kHalf},   {TensorType::kBFloat16, at::kBFloat16},
    {TensorType::kInt64, at::kLong},     {TensorType::kInt32, at::kInt},
    {TensorType::kUInt8, at::kByte},     {TensorType::kBool, at::kBool},
};

// A bool of another value than 0 and 1 would be undefined behaviour later.
void check_bools(const TensorView& view) {
  if (view.type != TensorType::kBool) return;
  if (std::any_of(view.bytes.begin(), view.bytes.end(), [](std::byte b) { return b > std::byte{1}; })) {
    fail(ErrorKind::kData, "tensor '", view.name, "': a truth value is neither 0 nor 1");
  }
}

TensorInfo info_of(const std::string& name, const at::Tensor& tensor) {
  return {name, tensor_type(tensor.scalar_type()), tensor.sizes().vec()};
}

}  // namespace

at::ScalarType scalar_type(TensorType type) { return kTypes[static_cast<size_t>(type)].second; }

TensorType tensor_type(at::ScalarType type) {
  for (const auto& [ours, theirs] : kTypes) {
    if (theirs == type) return ours;
  }
  fail(ErrorKind::kInternal, "safetensors files cannot hold tensors of type ", c10::toString(type));
}

at::Tensor to_tensor(const TensorView& view) {
  check_bools(view);
  at::Tensor tensor = at::empty(view.shape, scalar_type(view.type));
  if (!view.bytes.empty()) std::memcpy(tensor.data_ptr(), view.bytes.data(), view.bytes.size());
  return tensor;
}

NamedTensors to_tensors(const SafetensorsFile& file) {
  NamedTensors tensors;
  for (const TensorView& view : file.tensors()) tensors.emplace(view.name, to_tensor(view));
  return tensors;
}

WrittenFile write_tensors(const fs::path& path, const NamedTensors& tensors, const Metadata& metadata) {
  std::vector<TensorInfo> infos;
  for (const auto& [name, tensor] : tensors) infos.push_back(info_of(name, tensor));
  std::stable_sort(infos.begin(), infos.end(), [](const TensorInfo& a, const TensorInfo& b) {
    return element_size(a.type) > element_size(b.type);
  });
  SafetensorsWriter writer(path, infos, metadata);
  for (const TensorInfo& info : infos) {
    const at::Tensor tensor = tensors.at(info.name).detach().cpu().contiguous();
    writer.write({static_cast<const std::byte*>(tensor.data_ptr()), tensor.nbytes()});
  }
  writer.close();
  return {writer.size(), writer.checksum(), writer.tensor_checksums()};
}

}  // namespace uir
