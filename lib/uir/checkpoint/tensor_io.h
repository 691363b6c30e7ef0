// LibTorch tensors in and out of safetensors files.
//
// Cost: reading copies each tensor once; writing copies only what is not contiguous in CPU memory, one at a
// time.
// Errors: those of safetensors.h; a tensor of an element type that the format lacks is kInternal.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>

#include "uir/formats/safetensors.h"

namespace uir {

using NamedTensors = std::map<std::string, at::Tensor>;

at::ScalarType scalar_type(TensorType type);
TensorType tensor_type(at::ScalarType type);

// A contiguous CPU tensor with the view's values.
at::Tensor to_tensor(const TensorView& view);
NamedTensors to_tensors(const SafetensorsFile& file);

// What was written, for manifests.
struct WrittenFile {
  uint64_t bytes = 0;
  uint64_t checksum = 0;
  std::map<std::string, uint64_t> tensor_checksums;
};
// Larger element types come first, so that every tensor is aligned; then by name. fsyncs. Not atomic by
// itself.
WrittenFile write_tensors(const fs::path& path, const NamedTensors& tensors, const Metadata& metadata);

}  // namespace uir
