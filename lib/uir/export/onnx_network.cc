#include "uir/export/onnx_network.h"

#include <utility>

#include "uir/base/error.h"
#include "uir/network/blueprint.h"
#include "uir/onnx/writer.h"
#include "uir/pixels/pixels.h"

namespace uir {
namespace {

constexpr float kMiddle = kPixelMiddle, kInverseMiddle = 1 / kMiddle;

class Writer {
 public:
  Writer(const NetworkGraph& graph, OnnxModel model) : graph_(graph), model_(std::move(model)) {}

  OnnxModel run() {
    for (size_t i = 0; i < graph_.ops.size(); ++i) {
      const Op& op = graph_.ops[i];
      const bool last = i + 1 == graph_.ops.size();
      results_.push_back(last ? model_.outputs[0].name : op.name + ".out");
      add(op, results_.back());
    }
    return std::move(model_);
  }

 private:
  void add(const Op& op, const std::string& result) {
    const std::string x = value(op.inputs[0]);
    switch (op.kind) {
      case OpKind::kNormalize:
        return normalize(x, result);
      case OpKind::kConv:
        return node("Conv", op.name, with_bias({x, tensor(op.name + ".weight")}, op), result,
                    {{"kernel_shape", std::vector{op.kernel, op.kernel}},
                     {"strides", std::vector{op.stride, op.stride}},
                     {"pads", std::vector<int64_t>(4, op.padding)},
                     {"dilations", std::vector<int64_t>{1, 1}},
                     {"group", op.groups}});
      case OpKind::kBatchNorm:
        return node("BatchNormalization", op.name,
                    {x, tensor(op.name + ".weight"), tensor(op.name + ".bias"),
                     tensor(op.name + ".running_mean"), tensor(op.name + ".running_var")},
                    result, {{"epsilon", static_cast<float>(kBatchNormEpsilon)}});
      case OpKind::kPReLU:
        return node("PRelu", op.name, {x, slope(op.name + ".weight")}, result);
      case OpKind::kAdd:
        return node("Add", op.name, {x, value(op.inputs[1])}, result);
      case OpKind::kFlatten:
        return node("Flatten", op.name, {x}, result, {{"axis", int64_t{1}}});
      case OpKind::kLinear:
        return node("Gemm", op.name, with_bias({x, tensor(op.name + ".weight")}, op), result,
                    {{"transB", int64_t{1}}});
    }
  }

  // InsightFace's Python package recognises a network that normalises by nodes whose names begin with Sub and
  // Mul.
  void normalize(const std::string& x, const std::string& result) {
    node("Sub", "Sub_normalize", {x, constant("normalize.middle", kMiddle)}, "normalize.difference");
    node("Mul", "Mul_normalize", {"normalize.difference", constant("normalize.scale", kInverseMiddle)},
         result);
  }

  void node(const std::string& type, const std::string& name, std::vector<std::string> inputs,
            const std::string& output, std::vector<std::pair<std::string, OnnxAttribute>> attributes = {}) {
    model_.nodes.push_back({type, name, std::move(inputs), {output}, std::move(attributes)});
  }

  std::vector<std::string> with_bias(std::vector<std::string> inputs, const Op& op) {
    if (op.bias) inputs.push_back(tensor(op.name + ".bias"));
    return inputs;
  }

  std::string tensor(const std::string& name) {
    return add_tensor(name, graph_.tensors.at(name).sizes().vec());
  }
  // [C] → [C, 1, 1], which broadcasts over [B, C, H, W].
  std::string slope(const std::string& name) {
    return add_tensor(name, {graph_.tensors.at(name).size(0), 1, 1});
  }
  std::string add_tensor(const std::string& name, std::vector<int64_t> shape) {
    const at::Tensor& values = graph_.tensors.at(name);
    ensure(values.is_contiguous() && values.is_cpu() && values.scalar_type() == at::kFloat,
           "exported tensors are contiguous float32");
    model_.tensors.push_back(
        {name, std::move(shape), {static_cast<const std::byte*>(values.data_ptr()), values.nbytes()}});
    return name;
  }
  std::string constant(const std::string& name, const float& value) {
    model_.tensors.push_back({name, {1}, std::as_bytes(std::span(&value, 1))});
    return name;
  }
  std::string value(int64_t input) const {
    return input == kNetworkInput ? model_.inputs[0].name : results_[static_cast<size_t>(input)];
  }

  const NetworkGraph& graph_;
  OnnxModel model_;
  std::vector<std::string> results_;  // by operation
};

}  // namespace

void write_onnx_network(const NetworkGraph& graph, int64_t opset,
                        const std::map<std::string, std::string>& metadata, OutputFile& out) {
  OnnxModel model{.opset = opset,
                  .nodes = {},
                  .tensors = {},
                  .inputs = {{"data", {kFreeSize, 3, kImageSize, kImageSize}}},
                  .outputs = {{"embedding", {kFreeSize, graph.embedding_size}}},
                  .metadata = metadata};
  write_onnx(Writer(graph, std::move(model)).run(), out);
}

}  // namespace uir
