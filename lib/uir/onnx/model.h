// onnx/: networks of other tools as ONNX files: written, read, checked, and computed in float64. Which engine
// computes them fast is the business of engines/.
//
// What an ONNX file holds, as plain structs: nodes over named values and constants. Source: onnx.proto of the
// ONNX specification. Free of LibTorch.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "uir/base/file.h"

namespace uir {

// The types of constants that are read (TensorProto.DataType); float32 alone is written.
enum class OnnxType : int64_t {
  kFloat32 = 1,
  kUint8 = 2,
  kInt8 = 3,
  kInt32 = 6,
  kInt64 = 7,
  kBool = 9,
  kFloat16 = 10,
  kFloat64 = 11,
  kBFloat16 = 16
};

// A constant. Its bytes, little-endian and in C order, lie elsewhere and must outlive it.
struct OnnxTensor {
  std::string name;
  std::vector<int64_t> shape;
  Bytes data;
  OnnxType type = OnnxType::kFloat32;
};

using OnnxAttribute =
    std::variant<int64_t, float, std::vector<int64_t>, std::vector<float>, std::string, OnnxTensor>;

struct OnnxNode {
  std::string type, name;
  std::vector<std::string> inputs;  // an empty name: an optional input that is not given
  std::vector<std::string> outputs;
  std::vector<std::pair<std::string, OnnxAttribute>> attributes;
};

inline constexpr int64_t kFreeSize = -1;  // any size, such as a batch

// The network's input or output; an empty shape of a file: it does not say.
struct OnnxValue {
  std::string name;
  std::vector<int64_t> shape;  // the batch first
  int64_t type = static_cast<int64_t>(OnnxType::kFloat32);
};

struct OnnxModel {
  int64_t opset = 0;
  std::vector<OnnxNode> nodes;  // in an order in which they can be computed
  std::vector<OnnxTensor> tensors;
  std::vector<OnnxValue> inputs, outputs;
  std::map<std::string, std::string> metadata;
};

}  // namespace uir
