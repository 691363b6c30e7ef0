// onnx_case FILE…: of each file of tests/oracle/onnx_cases.py, whether its outputs are what it expects. A
// line a file: "ok NAME", "FAIL NAME: …", "refused NAME: …". onnx_case --operators: the known ones.
#include <cmath>
#include <iostream>

#include "uir/base/error.h"
#include "uir/onnx/interpreter.h"
#include "uir/onnx/operators.h"
#include "uir/onnx/reader.h"

using namespace uir;

namespace {

std::string difference(const Array& found, const Array& expected) {
  if (found.shape != expected.shape) {
    std::string text = "shape";
    for (const int64_t size : found.shape) text += concat(" ", size);
    return text;
  }
  for (size_t i = 0; i < found.values.size(); ++i) {
    const double a = found.values[i], b = expected.values[i];
    if (std::isnan(a) && std::isnan(b)) continue;
    if (!(a == b || std::abs(a - b) <= 1e-5 + 4e-4 * std::abs(b)))
      return concat("number ", i, ": ", a, ", expected ", b);
  }
  return "";
}

std::string check(const fs::path& path) {
  const OnnxFile file = read_onnx(path);
  const OnnxInterpreter interpreter(file.model, 2);
  for (size_t i = 0; i < file.model.outputs.size(); ++i) {
    const auto expected = interpreter.constant(concat("expected.", i));
    const auto found = interpreter.constant(file.model.outputs[i].name);
    if (!expected) return concat("the case expects no output ", i);
    if (!found) fail(ErrorKind::kData, "no output ", i, " is computed");
    if (const std::string problem = difference(*found, *expected); !problem.empty()) return problem;
  }
  return "";
}

void print_operators() {
  for (const auto& family :
       {elementwise_operators(), shape_operators(), layer_operators(), reduction_operators()}) {
    for (const NamedOperator& each : family) std::cout << each.name << '\n';
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--operators") print_operators();
  int failures = 0;
  for (int i = 1; i < argc && argv[i][0] != '-'; ++i) {
    const std::string name = fs::path(argv[i]).stem().string();
    try {
      const std::string problem = check(argv[i]);
      std::cout << (problem.empty() ? "ok " + name : "FAIL " + name + ": " + problem) << '\n';
      failures += problem.empty() ? 0 : 1;
    } catch (const Error& error) {
      std::cout << "refused " << name << ": " << error.what() << '\n';
    }
  }
  return failures > 0 ? 1 : 0;
}
