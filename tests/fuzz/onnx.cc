// ONNX files: their structure, and what their nodes make of constants.
#include "target.h"
#include "uir/onnx/interpreter.h"
#include "uir/onnx/reader.h"

UIR_FUZZ_TARGET(onnx) {
  const uir::fuzz::InputFile input(bytes);
  const uir::OnnxFile file = uir::read_onnx(input.path());
  constexpr size_t kSmall = 64;  // more nodes only take longer
  if (file.model.nodes.size() <= kSmall) uir::OnnxInterpreter(file.model, 1);
}
