// ONNX files: a network as nodes over named float32 tensors, written without a library of protobuf messages.
//
// Shapes: one input and one output, float32, whose first dimension is the batch, of any size.
// Cost: tensors are streamed from where they lie; memory does not grow with them.
// Source: onnx.proto of the ONNX specification (field numbers), "Versioning" (which IR version an opset
// needs).
// Errors: kUsage for an opset out of range and for files of 2 GiB or more, which the format cannot hold; else
// those of OutputFile. Free of LibTorch.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "uir/base/file.h"

namespace uir {

inline constexpr int64_t kOldestOpset = 11, kNewestOpset = 21;

// A float32 constant; its bytes must live until the file is written.
struct OnnxTensor {
  std::string name;
  std::vector<int64_t> shape;
  Bytes data;
};

using OnnxAttribute = std::variant<int64_t, float, std::vector<int64_t>>;

struct OnnxNode {
  std::string type, name;
  std::vector<std::string> inputs;
  std::string output;
  std::vector<std::pair<std::string, OnnxAttribute>> attributes;
};

struct OnnxValue {
  std::string name;
  std::vector<int64_t> shape;  // without the batch
};

struct OnnxModel {
  int64_t opset = kOldestOpset;
  std::vector<OnnxNode> nodes;  // in an order in which they can be computed
  std::vector<OnnxTensor> tensors;
  OnnxValue input, output;
  std::map<std::string, std::string> metadata;
};

void write_onnx(const OnnxModel& model, OutputFile& out);

}  // namespace uir
