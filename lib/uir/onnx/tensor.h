// The numbers of an ONNX file's constants. Free of LibTorch. Threads: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "uir/onnx/array.h"
#include "uir/onnx/model.h"

namespace uir {

// The numbers of a constant.
std::vector<double> numbers_of(const OnnxTensor& tensor);
Array array_of(const OnnxTensor& tensor);
bool is_integer(OnnxType type);
int64_t bytes_per_element(OnnxType type);

// The elements of a shape without free sizes; none if there are more than int64 counts, or a size is
// negative.
std::optional<int64_t> num_elements(const std::vector<int64_t>& shape);

}  // namespace uir
