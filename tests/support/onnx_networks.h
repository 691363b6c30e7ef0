// Small ONNX networks for tests, made with the library's own writer.
#pragma once

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "support/temp_folder.h"
#include "uir/onnx/model.h"
#include "uir/onnx/writer.h"

// A model whose constants live in it.
class OnnxBuilder {
 public:
  explicit OnnxBuilder(int64_t opset = 17) { model_.opset = opset; }

  OnnxBuilder& constant(const std::string& name, std::vector<int64_t> shape, std::vector<float> values) {
    floats_.push_back(std::move(values));
    model_.tensors.push_back({name, std::move(shape), std::as_bytes(std::span(floats_.back()))});
    return *this;
  }
  OnnxBuilder& integers(const std::string& name, std::vector<int64_t> values) {
    integers_.push_back(std::move(values));
    model_.tensors.push_back({name,
                              {static_cast<int64_t>(integers_.back().size())},
                              std::as_bytes(std::span(integers_.back())),
                              uir::OnnxType::kInt64});
    return *this;
  }
  OnnxBuilder& node(const std::string& type, std::vector<std::string> inputs, const std::string& output,
                    std::vector<std::pair<std::string, uir::OnnxAttribute>> attributes = {}) {
    model_.nodes.push_back({type, type + "_" + output, std::move(inputs), {output}, std::move(attributes)});
    return *this;
  }
  OnnxBuilder& input(const std::string& name, std::vector<int64_t> shape) {
    model_.inputs.push_back({name, std::move(shape)});
    return *this;
  }
  OnnxBuilder& output(const std::string& name, std::vector<int64_t> shape = {}) {
    model_.outputs.push_back({name, std::move(shape)});
    return *this;
  }
  uir::OnnxModel& model() { return model_; }

  uir::fs::path write(const TempFolder& folder, const std::string& name = "net.onnx") const {
    uir::OutputFile out(folder / name);
    uir::write_onnx(model_, out);
    out.close();
    return folder / name;
  }

 private:
  uir::OnnxModel model_;
  std::deque<std::vector<float>> floats_;
  std::deque<std::vector<int64_t>> integers_;
};

// A recogniser of 588 weights: pixels [n, 3, 112, 112] → means of 16 × 16 tiles → 4 numbers. With the offset
// and factor in front, if these are not 0 and 1.
inline OnnxBuilder small_recogniser(float offset = 0, float factor = 1) {
  OnnxBuilder b;
  b.input("data", {uir::kFreeSize, 3, 112, 112}).output("embedding", {uir::kFreeSize, 4});
  std::string x = "data";
  if (offset != 0) b.constant("offset", {1}, {offset}).node("Sub", {x, "offset"}, "shifted"), x = "shifted";
  if (factor != 1) b.constant("factor", {1}, {factor}).node("Mul", {x, "factor"}, "scaled"), x = "scaled";
  std::vector<float> weights(static_cast<size_t>(4 * 3 * 7 * 7));
  for (size_t i = 0; i < weights.size(); ++i)
    weights[i] = static_cast<float>((i * 2654435761U >> 8) % 1000) / 500 - 1;
  b.constant("weights", {4, 147}, weights);
  b.node("AveragePool", {x}, "tiles",
         {{"kernel_shape", std::vector<int64_t>{16, 16}}, {"strides", std::vector<int64_t>{16, 16}}});
  b.node("Flatten", {"tiles"}, "flat", {{"axis", int64_t{1}}});
  b.node("Gemm", {"flat", "weights"}, "embedding", {{"transB", int64_t{1}}});
  return b;
}
