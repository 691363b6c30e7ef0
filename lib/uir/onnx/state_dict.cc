#include "uir/onnx/state_dict.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "uir/base/error.h"
#include "uir/network/architecture.h"
#include "uir/network/blueprint.h"
#include "uir/onnx/interpreter.h"
#include "uir/onnx/operators.h"

namespace uir {
namespace {

// Why the file is not the blueprint's network: thrown and caught here.
struct Mismatch {
  size_t op;  // of the blueprint
  std::string why;
};

Array filled(int64_t channels, double value) {
  return {{channels}, std::vector<double>(static_cast<size_t>(channels), value)};
}

// Follows the nodes along a blueprint.
class Matcher {
 public:
  Matcher(const FaceNetwork& network, const OnnxInterpreter& interpreter, const Blueprint& blueprint)
      : network_(network), interpreter_(interpreter), blueprint_(blueprint) {
    for (const OnnxNode* node : interpreter.nodes()) {
      for (const std::string& input : node->inputs) readers_[input].push_back(node);
    }
  }

  std::map<std::string, Array> run() {
    values_.resize(blueprint_.ops.size());
    const std::string start = after_normalization();
    for (op_ = 0; op_ < blueprint_.ops.size(); ++op_) {
      const Op& op = blueprint_.ops[op_];
      const auto input = [&](size_t i) {
        const int64_t value = op.inputs[i];
        return value == kNetworkInput ? start : values_[static_cast<size_t>(value)];
      };
      values_[op_] = settled(follow(op, input(0), op.kind == OpKind::kAdd ? input(1) : ""));
    }
    --op_;
    if (values_.back() != settled(network_.output)) differs("is not the last: more nodes follow");
    return std::move(tensors_);
  }

 private:
  [[noreturn]] void differs(const std::string& why) const { throw Mismatch{op_, why}; }

  OnnxCall call(const OnnxNode& node) const { return {node, network_.file.model.opset, {}, 1}; }

  // Behind nodes that change nothing when the network is used.
  std::string settled(std::string value) const {
    for (;;) {
      const OnnxNode* node = reader(value, {"Identity", "Dropout"});
      if (node == nullptr || value == network_.output) return value;
      value = node->outputs.at(0);
    }
  }

  const OnnxNode* reader(const std::string& value, std::initializer_list<std::string_view> types) const {
    const auto found = readers_.find(value);
    if (found == readers_.end()) return nullptr;
    for (const OnnxNode* node : found->second) {
      if (std::ranges::count(types, node->type) > 0) return node;
    }
    return nullptr;
  }

  // A normalisation of the pixels in front is ours: x − 127.5, and a factor, which the first convolution
  // takes.
  std::string after_normalization() {
    std::string value = settled(network_.input);
    const OnnxNode* shift = reader(value, {"Sub"});
    if (shift == nullptr) return value;
    const auto middle = interpreter_.constant(shift->inputs.at(1));
    const OnnxNode* scale = reader(settled(shift->outputs.at(0)), {"Mul", "Div"});
    const auto factor = scale ? interpreter_.constant(scale->inputs.at(1)) : std::nullopt;
    if (!middle || !factor || middle->size() != 1 || factor->size() != 1 || middle->values[0] != 127.5)
      throw Mismatch{0, "comes behind another normalisation of the pixels than x - 127.5 times a factor"};
    factor_ = 127.5 * (scale->type == "Mul" ? factor->values[0] : 1 / factor->values[0]);
    if (std::abs(factor_ - 1) < 1e-6) factor_ = 1;
    return settled(scale->outputs.at(0));
  }

  std::string follow(const Op& op, const std::string& x, const std::string& other) {
    switch (op.kind) {
      case OpKind::kConv:
        return conv(op, x);
      case OpKind::kBatchNorm:
        return batch_norm(op, x);
      case OpKind::kPReLU:
        return prelu(op, x);
      case OpKind::kAdd:
        return add(x, other);
      case OpKind::kFlatten:
        return flatten(x);
      case OpKind::kLinear:
        return linear(op, x);
      case OpKind::kNormalize:
        break;
    }
    differs("is unknown");
  }

  Array constant(const OnnxNode& node, size_t input) const {
    const auto found = input < node.inputs.size() ? interpreter_.constant(node.inputs[input]) : std::nullopt;
    if (!found) differs(concat("has no constant input ", input));
    return *found;
  }

  static std::string shape_text(const std::vector<int64_t>& shape) {
    std::string text;
    for (const int64_t size : shape) text += concat(text.empty() ? "" : "x", size);
    return text;
  }
  void expect_shape(const Array& array, const std::vector<int64_t>& shape) const {
    if (array.shape != shape)
      differs(concat("has weights of ", shape_text(array.shape), ", expected ", shape_text(shape)));
  }

  // The bias of a convolution or product, which the blueprint's layer may not have: the next batch norm
  // takes it.
  void keep_bias(const Op& op, const std::string& output, Array bias) {
    if (op.bias) {
      tensors_[op.name + ".bias"] = {{op.out_channels}, std::move(bias.values)};
    } else {
      biases_[output] = std::move(bias.values);
    }
  }

  std::string conv(const Op& op, const std::string& x) {
    const auto found = readers_.find(x);
    std::string why = "is no convolution there";
    for (const OnnxNode* node : found == readers_.end() ? std::vector<const OnnxNode*>() : found->second) {
      if (node->type != "Conv") continue;
      Array weight = constant(*node, 1);
      const std::vector<int64_t> shape{op.out_channels, op.in_channels / op.groups, op.kernel, op.kernel};
      const OnnxCall attributes = call(*node);
      const bool same = attributes.integer("group", 1) == op.groups &&
                        attributes.integers("strides", {1, 1}) == std::vector{op.stride, op.stride} &&
                        attributes.integers("pads", {0, 0, 0, 0}) == std::vector<int64_t>(4, op.padding) &&
                        attributes.integers("dilations", {1, 1}) == std::vector<int64_t>{1, 1} &&
                        attributes.text("auto_pad", "NOTSET") == "NOTSET";
      if (weight.shape != shape || !same) {
        why = concat("has weights of ", shape_text(weight.shape), ", expected ", shape_text(shape),
                     " with stride ", op.stride, ", padding ", op.padding, ", groups ", op.groups);
        continue;
      }
      for (double& value : weight.values) value *= factor_;
      factor_ = 1;
      tensors_[op.name + ".weight"] = std::move(weight);
      if (node->inputs.size() > 2) keep_bias(op, settled(node->outputs.at(0)), constant(*node, 2));
      return node->outputs.at(0);
    }
    differs(why);
  }

  std::string batch_norm(const Op& op, const std::string& x) {
    const auto carried = biases_.find(x);
    const std::vector<double> bias = carried == biases_.end()
                                         ? std::vector<double>(static_cast<size_t>(op.in_channels), 0)
                                         : carried->second;
    if (bias.size() != static_cast<size_t>(op.in_channels)) differs("has another number of channels");
    Array weight = filled(op.in_channels, std::sqrt(1 + kBatchNormEpsilon)),
          shift = filled(op.in_channels, 0), mean = filled(op.in_channels, 0),
          var = filled(op.in_channels, 1);
    std::string output = x;
    if (const OnnxNode* node = reader(x, {"BatchNormalization"})) {
      weight = constant(*node, 1), shift = constant(*node, 2), mean = constant(*node, 3),
      var = constant(*node, 4);
      for (const Array* part : {&weight, &shift, &mean, &var}) expect_shape(*part, {op.in_channels});
      const double more = call(*node).number("epsilon", 1e-5F) - kBatchNormEpsilon;
      for (double& value : var.values) value += std::abs(more) < 1e-9 ? 0 : more;
      for (size_t c = 0; c < bias.size(); ++c) mean.values[c] -= bias[c];
      output = node->outputs.at(0);
    } else {
      shift.values = bias;
    }
    tensors_[op.name + ".weight"] = std::move(weight);
    tensors_[op.name + ".bias"] = std::move(shift);
    tensors_[op.name + ".running_mean"] = std::move(mean);
    tensors_[op.name + ".running_var"] = std::move(var);
    return output;
  }

  std::string prelu(const Op& op, const std::string& x) {
    const OnnxNode* node = reader(x, {"PRelu"});
    if (node == nullptr) differs("is no PRelu there");
    Array slope = constant(*node, 1);
    if (slope.size() != op.in_channels)
      differs(concat("has ", slope.size(), " slopes, expected ", op.in_channels));
    slope.shape = {op.in_channels};
    tensors_[op.name + ".weight"] = std::move(slope);
    return node->outputs.at(0);
  }

  std::string add(const std::string& x, const std::string& other) {
    const auto found = readers_.find(x);
    for (const OnnxNode* node : found == readers_.end() ? std::vector<const OnnxNode*>() : found->second) {
      if (node->type == "Add" && std::ranges::count(node->inputs, other) > 0) return node->outputs.at(0);
    }
    differs("is no sum there");
  }

  std::string flatten(const std::string& x) {
    const OnnxNode* node = reader(x, {"Flatten", "Reshape"});
    if (node == nullptr) differs("is no Flatten there");
    return node->outputs.at(0);
  }

  std::string linear(const Op& op, const std::string& x) {
    const OnnxNode* node = reader(x, {"Gemm", "MatMul"});
    if (node == nullptr) differs("is no product there");
    const OnnxCall attributes = call(*node);
    if (attributes.number("alpha", 1) != 1 || attributes.number("beta", 1) != 1 ||
        attributes.integer("transA", 0) != 0)
      differs("is a product with factors of its own");
    Array weight = constant(*node, 1);
    if (weight.rank() == 2 && attributes.integer("transB", 0) == 0) {
      Array turned{{weight.shape[1], weight.shape[0]}, std::vector<double>(weight.values.size())};
      for (int64_t i = 0; i < weight.shape[0]; ++i) {
        for (int64_t j = 0; j < weight.shape[1]; ++j)
          turned.values[static_cast<size_t>(j * weight.shape[0] + i)] =
              weight.values[static_cast<size_t>(i * weight.shape[1] + j)];
      }
      weight = std::move(turned);
    }
    expect_shape(weight, {op.out_channels, op.in_channels * op.in_size * op.in_size});
    tensors_[op.name + ".weight"] = std::move(weight);
    std::string output = settled(node->outputs.at(0));
    Array bias = filled(op.out_channels, 0);
    if (node->inputs.size() > 2) {
      bias = constant(*node, 2);
    } else if (const OnnxNode* sum = reader(output, {"Add"}); sum && node->type == "MatMul") {
      bias = constant(*sum, sum->inputs[0] == output ? 1 : 0);
      output = settled(sum->outputs.at(0));
    }
    if (bias.size() != op.out_channels) differs("has a bias of another length");
    keep_bias(op, output, std::move(bias));
    return output;
  }

  const FaceNetwork& network_;
  const OnnxInterpreter& interpreter_;
  const Blueprint& blueprint_;
  std::map<std::string, std::vector<const OnnxNode*>> readers_;
  size_t op_ = 0;
  std::vector<std::string> values_;  // by operation of the blueprint: the value that it makes
  std::map<std::string, Array> tensors_;
  std::map<std::string, std::vector<double>> biases_;  // by the value that has it added
  double factor_ = 1;  // of the pixels, still to be taken by the first convolution
};

// Our networks of the first convolution's width; that of the file's metadata alone where it tells one.
std::vector<ModelConfig> candidates(const FaceNetwork& network) {
  const auto& metadata = network.file.model.metadata;
  if (const auto found = metadata.find(kArchitectureKey); found != metadata.end())
    return {parse_architecture(found->second, network.file.path.string())};
  double channels = 64;
  for (const OnnxNode& node : network.file.model.nodes) {
    if (node.type != "Conv" || node.inputs.size() < 2) continue;
    for (const OnnxTensor& tensor : network.file.model.tensors) {
      if (tensor.name == node.inputs[1] && !tensor.shape.empty())
        channels = static_cast<double>(tensor.shape[0]);
    }
    break;
  }
  std::vector<ModelConfig> configs;
  const auto width = [&](double base) { return std::clamp(channels / base, 0.03, 4.0); };
  for (const IResNetDepth& known : kIResNetDepths)
    configs.push_back({IResNetConfig{known.depth, width(64), network.embedding_size, 0}});
  for (const bool large : {false, true})
    configs.push_back({MobileFaceNetConfig{large, width(large ? 256 : 128), network.embedding_size}});
  return configs;
}

}  // namespace

OnnxStateDict state_dict_of(const FaceNetwork& network) {
  const OnnxInterpreter interpreter(network.file.model, 1);
  std::optional<Mismatch> nearest;
  std::string layer;
  for (const ModelConfig& config : candidates(network)) {
    const Blueprint blueprint = network_blueprint(config);
    try {
      return {config, Matcher(network, interpreter, blueprint).run()};
    } catch (const Mismatch& mismatch) {
      if (nearest && nearest->op >= mismatch.op) continue;
      nearest = mismatch;
      layer = concat("'", blueprint.ops[mismatch.op].name, "' of ", architecture_json(config).dump());
    }
  }
  fail(ErrorKind::kData, network.file.path.string(),
       ": is none of the networks that are trained here: layer ", layer, " ", nearest->why,
       "; uir-extract takes it as it is");
}

}  // namespace uir
