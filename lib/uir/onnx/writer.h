// ONNX files, written without a library of protobuf messages.
//
// Shapes: float32 constants; free sizes of inputs and outputs are called "batch".
// Cost: tensors are streamed from where they lie; memory does not grow with them.
// Source: onnx.proto of the ONNX specification (field numbers), "Versioning" (which IR version an opset
// needs).
// Errors: kUsage for an opset out of range and for files of 2 GiB or more, which the format cannot hold; else
// those of OutputFile. Free of LibTorch.
#pragma once

#include <cstdint>

#include "uir/base/file.h"
#include "uir/onnx/model.h"

namespace uir {

inline constexpr int64_t kOldestOpset = 11, kNewestOpset = 21;

void write_onnx(const OnnxModel& model, OutputFile& out);

}  // namespace uir
