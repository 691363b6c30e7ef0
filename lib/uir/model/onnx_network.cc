#include "uir/model/onnx_network.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <set>
#include <utility>

#include "uir/base/error.h"
#include "uir/model/batch_norm.h"
#include "uir/model/inference_conv.h"
#include "uir/model/pair_conv.h"
#include "uir/onnx/interpreter.h"

namespace uir {
namespace {

using Value = OnnxTorchValue;
using Step = OnnxNetwork::Step;

// What follows a convolution in the same pass: a PReLU, or a sum.
struct Epilogue {
  at::Tensor slope{};
  bool residual = false;
};

// A batch norm, then a PReLU or a sum: one pass, unless the sum repeats one of its operands.
at::Tensor normalized(BatchNormArgs args, const at::Tensor& residual) {
  const bool same = residual.defined() && residual.sizes() == args.x.sizes();
  if (same) args.residual = residual.to(args.x.scalar_type());
  const at::Tensor y = batch_norm(args);
  return residual.defined() && !same ? y + residual : y;
}

// Nodes become steps, some of them joined.
class Compiler {
 public:
  Compiler(const FaceNetwork& network, at::ScalarType type, at::Device device, int threads,
           const Int8Ranges& int8, std::shared_ptr<std::optional<RangeSamples>> samples)
      : int8_(int8),
        samples_(std::move(samples)),
        model_(network.file.model),
        output_(network.output),
        interpreter_(model_, threads),
        type_(type),
        device_(device),
        threads_(threads) {
    for (const OnnxNode* node : interpreter_.nodes()) {
      for (const std::string& input : node->inputs) readers_[input].push_back(node);
    }
    made_.insert(network.input);
  }

  std::vector<Step> run(std::map<std::string, Value>& constants) {
    for (const OnnxNode* node : interpreter_.nodes()) {
      if (joined_.contains(node)) continue;
      if (node->type == "Conv") {
        conv(*node);
      } else if (node->type == "BatchNormalization") {
        batch_norm(*node);
      } else {
        any(*node, constants);
      }
    }
    release();
    return std::move(steps_);
  }

 private:
  // The one node that reads a value, if it is of the type; null where others read it, too.
  const OnnxNode* only_reader(const std::string& value, std::string_view type) const {
    const auto found = readers_.find(value);
    const bool one = found != readers_.end() && found->second.size() == 1 && value != output_;
    return one && found->second[0]->type == type ? found->second[0] : nullptr;
  }

  at::Tensor vector(const Array& array) const {
    return tensor_of({{array.size()}, array.values, false}, at::TensorOptions(at::kFloat).device(device_));
  }
  Array numbers(const OnnxNode& node, size_t input) const {
    const auto constant =
        input < node.inputs.size() ? interpreter_.constant(node.inputs[input]) : std::nullopt;
    if (!constant) call(node).refuse(concat("its input ", input, " is no constant"));
    return *constant;
  }
  OnnxCall call(const OnnxNode& node) const { return {node, model_.opset, {}, threads_}; }

  void add(Step step) {
    made_.insert(step.output);
    steps_.push_back(std::move(step));
  }

  // y · scale + shift of a batch norm, per channel.
  struct Affine {
    std::vector<double> scale, shift;
  };
  Affine affine_of(const OnnxNode& norm) const {
    const Array weight = numbers(norm, 1), bias = numbers(norm, 2), mean = numbers(norm, 3),
                var = numbers(norm, 4);
    const double epsilon = call(norm).number("epsilon", 1e-5F);
    Affine affine;
    for (size_t c = 0; c < weight.values.size(); ++c) {
      affine.scale.push_back(weight.values[c] / std::sqrt(var.values.at(c) + epsilon));
      affine.shift.push_back(bias.values.at(c) - mean.values.at(c) * affine.scale[c]);
    }
    return affine;
  }

  void conv(const OnnxNode& node) {
    Array weight = numbers(node, 1);
    if (weight.rank() != 4) call(node).refuse("is no convolution of images");
    std::vector<double> bias(static_cast<size_t>(weight.shape[0]), 0);
    bool has_bias = node.inputs.size() > 2 && !node.inputs[2].empty();
    if (has_bias) bias = numbers(node, 2).values;
    std::string output = node.outputs.at(0);
    if (const OnnxNode* norm = only_reader(output, "BatchNormalization"); norm && norm->inputs[0] == output) {
      const Affine affine = affine_of(*norm);
      const auto each = static_cast<size_t>(weight.size() / weight.shape[0]);
      for (size_t i = 0; i < weight.values.size(); ++i) weight.values[i] *= affine.scale.at(i / each);
      for (size_t c = 0; c < bias.size(); ++c) bias[c] = bias[c] * affine.scale.at(c) + affine.shift.at(c);
      has_bias = true;
      output = join(*norm);
    }
    std::vector<std::string> inputs{node.inputs[0]};
    const Epilogue epilogue = epilogue_of(output, inputs);
    const bool slopes = !epilogue.slope.defined() || epilogue.slope.numel() == weight.shape[0];
    if (const auto op = inference_op(node, weight); op && slopes) {
      fast_conv(*op, weight, vector({{weight.shape[0]}, bias}), epilogue, {inputs, output, nullptr});
      return;
    }
    const bool pairs = is_pair_conv(node, weight);
    const auto options = at::TensorOptions(pairs ? at::kFloat : type_).device(device_);
    const at::Tensor w = tensor_of(weight, options).contiguous(at::MemoryFormat::ChannelsLast);
    const at::Tensor b = vector({{weight.shape[0]}, bias});
    // The bias waits for the pass that computes a PReLU or a sum, if there is one.
    const bool passes = epilogue.slope.defined() || epilogue.residual || (pairs && has_bias);
    const BatchNormArgs pass = only_adding(b, epilogue.slope);
    const Value weights{w, std::nullopt}, biases{b.to(type_), std::nullopt};
    const bool adds = has_bias && !passes;
    const auto bare = std::make_shared<OnnxNode>(node);  // its attributes
    add({inputs, output,
         [=, opset = model_.opset, threads = threads_, type = type_](const OnnxNetwork::Inputs& in) {
           const Value x{in[0]->tensor.to(type).contiguous(at::MemoryFormat::ChannelsLast), std::nullopt};
           BatchNormArgs args = pass;
           if (pairs) {
             args.x = pair_conv(x.tensor, w);
           } else {
             const OnnxNetwork::Inputs operands =
                 adds ? OnnxNetwork::Inputs{&x, &weights, &biases} : OnnxNetwork::Inputs{&x, &weights};
             const OnnxCall attributes(*bare, opset, std::vector<const Array*>(operands.size(), nullptr),
                                       threads);
             args.x = compute_on_torch(attributes, operands).tensor;
           }
           if (!passes) return Value{args.x, std::nullopt};
           return Value{normalized(args, epilogue.residual ? in[1]->tensor : at::Tensor()), std::nullopt};
         }});
  }

  // The convolution as inference computes it fast, if it is one of those (inference_conv.h).
  std::optional<Op> inference_op(const OnnxNode& node, const Array& weight) const {
    const OnnxCall attributes = call(node);
    const auto same = [](const std::vector<int64_t>& values) {
      return std::ranges::all_of(values, [&](int64_t value) { return value == values[0]; });
    };
    const std::vector<int64_t> pads = attributes.has("pads") ? attributes.integers("pads")
                                                             : std::vector<int64_t>(4, 0),
                               strides = attributes.integers("strides", {1, 1});
    const bool plain = attributes.integers("dilations", {1, 1}) == std::vector<int64_t>{1, 1} &&
                       !attributes.has("auto_pad") && pads.size() == 4 && same(pads) && strides.size() == 2 &&
                       same(strides) && weight.shape[2] == weight.shape[3];
    const bool runs = InferenceConv::runs(type_) || !int8_.empty();
    if (!plain || !device_.is_cpu() || !runs) return std::nullopt;
    Op op;
    op.groups = attributes.integer("group", 1);
    op.in_channels = weight.shape[1] * op.groups;
    op.out_channels = weight.shape[0];
    op.kernel = weight.shape[2];
    op.stride = strides[0];
    op.padding = pads[0];
    return InferenceConv::suits(op) ? std::optional(op) : std::nullopt;
  }

  // Bias, PReLU and sum in the same pass. step: without what it computes.
  void fast_conv(const Op& op, const Array& weight, const at::Tensor& bias, const Epilogue& epilogue,
                 Step step) {
    const at::Tensor weights = tensor_of(weight, at::TensorOptions(at::kFloat));
    const auto ranges = int8_.find(step.output);
    const auto conv = ranges == int8_.end() ? std::make_shared<InferenceConv>(op, weights, type_)
                                            : std::make_shared<InferenceConv>(op, weights, ranges->second);
    const ConvEdges edges{{}, {}, at::ones_like(bias), bias, epilogue.slope, {}};
    step.compute = [conv, op, edges, name = step.output, samples = samples_,
                    type = type_](const OnnxNetwork::Inputs& in) {
      const at::Tensor x = in[0]->tensor.to(type), other = in.size() > 1 ? in[1]->tensor : at::Tensor();
      if (*samples && InferenceConv::suits_int8(op)) (*samples)->add(name, op, x, edges);
      const bool same = other.defined() && other.sizes() == at::IntArrayRef(conv->sizes_of_result(x));
      ConvEdges all = edges;
      if (same) all.residual = other.to(type);
      const at::Tensor y = (*conv)(x, all);
      return Value{other.defined() && !same ? y + other : y, std::nullopt};
    };
    add(std::move(step));
  }

  // x + bias and a PReLU, as a batch norm.
  BatchNormArgs only_adding(const at::Tensor& bias, const at::Tensor& slope) const {
    const at::Tensor ones = at::ones_like(bias), zeros = at::zeros_like(bias);
    return {.weight = ones,
            .bias = bias,
            .running_mean = zeros,
            .running_var = ones,
            .slope = slope,
            .training = false,
            .epsilon = 0};
  }

  // MobileFaceNet's second layer (pair_conv.h).
  bool is_pair_conv(const OnnxNode& node, const Array& weight) const {
    const OnnxCall attributes = call(node);
    return weight.shape[1] == 2 && weight.shape[2] == 3 && weight.shape[3] == 3 &&
           attributes.integer("group", 1) * 2 == weight.shape[0] &&
           attributes.integers("pads") == std::vector<int64_t>(4, 1) &&
           attributes.integers("strides", {1, 1}) == std::vector<int64_t>{1, 1} &&
           attributes.integers("dilations", {1, 1}) == std::vector<int64_t>{1, 1} &&
           !attributes.has("auto_pad");
  }

  void batch_norm(const OnnxNode& node) {
    const auto floats = [&](size_t input) { return vector(numbers(node, input)); };
    const at::Tensor weight = floats(1), bias = floats(2), mean = floats(3), var = floats(4);
    const double epsilon = call(node).number("epsilon", 1e-5F);
    std::string output = node.outputs.at(0);
    std::vector<std::string> inputs{node.inputs[0]};
    const Epilogue epilogue = epilogue_of(output, inputs);
    add({inputs, output, [=](const OnnxNetwork::Inputs& in) {
           const BatchNormArgs args{.x = in[0]->tensor,
                                    .weight = weight,
                                    .bias = bias,
                                    .running_mean = mean,
                                    .running_var = var,
                                    .slope = epilogue.slope,
                                    .training = false,
                                    .epsilon = epsilon};
           return Value{normalized(args, epilogue.residual ? in[1]->tensor : at::Tensor()), std::nullopt};
         }});
  }

  // Marks a node as computed by the step before it, and gives the value that it makes.
  std::string join(const OnnxNode& node) {
    joined_.insert(&node);
    return node.outputs.at(0);
  }

  // The PReLU or the sum that alone reads `output`, which becomes what that makes.
  Epilogue epilogue_of(std::string& output, std::vector<std::string>& inputs) {
    Epilogue epilogue;
    if (const OnnxNode* prelu = only_reader(output, "PRelu"); prelu && prelu->inputs[0] == output) {
      const auto slope = interpreter_.constant(prelu->inputs.at(1));
      const bool per_channel =
          slope && (slope->rank() == 1 ||
                    (slope->rank() >= 3 && slope->shape[slope->shape.size() - 3] == slope->size()));
      if (per_channel && slope->size() > 1) {
        epilogue.slope = vector(*slope);
        output = join(*prelu);
      }
    } else if (const OnnxNode* sum = only_reader(output, "Add"); sum && sum->inputs.size() == 2) {
      const std::string other = sum->inputs[sum->inputs[0] == output ? 1 : 0];
      if (other != output && made_.contains(other) && !interpreter_.constant(other)) {
        inputs.push_back(other);
        epilogue.residual = true;
        output = join(*sum);
      }
    }
    return epilogue;
  }

  // Integers are shapes, axes and the like; of a few numbers (the bounds of a Clip) a node may want either form.
  Value value_of(const Array& constant) const {
    constexpr int64_t kFew = 64;
    if (constant.integer) return {{}, constant};
    Value value{tensor_of(constant, at::TensorOptions(at::kFloat).device(device_)), std::nullopt};
    if (constant.size() <= kFew) value.array = constant;
    return value;
  }

  void any(const OnnxNode& node, std::map<std::string, Value>& constants) {
    for (const std::string& name : node.inputs) {
      if (const auto constant = interpreter_.constant(name); constant && !constants.contains(name))
        constants[name] = value_of(*constant);
    }
    const auto kept = std::make_shared<OnnxNode>(node);
    add({node.inputs, node.outputs.at(0),
         [kept, opset = model_.opset, threads = threads_](const OnnxNetwork::Inputs& in) {
           std::vector<const Array*> arrays;
           bool tensors = false;
           for (const Value* value : in) {
             arrays.push_back(value && value->array ? &*value->array : nullptr);
             tensors |= value && !value->array;
           }
           const OnnxCall call(*kept, opset, arrays, threads);
           if (tensors) return compute_on_torch(call, in);
           return Value{{}, (*find_operator(kept->type))(call).at(0)};
         }});
  }

  void release() {
    std::set<std::string> needed{output_};
    for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
      for (const std::string& name : step->inputs) {
        if (needed.insert(name).second) step->released.push_back(name);
      }
    }
  }

  const Int8Ranges& int8_;
  const std::shared_ptr<std::optional<RangeSamples>> samples_;
  const OnnxModel& model_;
  const std::string output_;
  const OnnxInterpreter interpreter_;
  const at::ScalarType type_;
  const at::Device device_;
  const int threads_;
  std::map<std::string, std::vector<const OnnxNode*>> readers_;
  std::set<const OnnxNode*> joined_;
  std::set<std::string> made_;
  std::vector<Step> steps_;
};

}  // namespace

OnnxNetwork::OnnxNetwork(const FaceNetwork& network, at::ScalarType type, at::Device device, int threads,
                         const Int8Ranges& int8)
    : input_(network.input), output_(network.output), embedding_size_(network.embedding_size) {
  ensure(int8.empty() || (InferenceConv::runs_int8() && type == at::kBFloat16), "int8 where it runs");
  steps_ = Compiler(network, type, device, threads, int8, samples_).run(constants_);
}

Int8Ranges OnnxNetwork::find_int8_ranges(const std::function<void()>& run) {
  samples_->emplace();
  run();
  Int8Ranges ranges = (*samples_)->ranges();
  samples_->reset();
  return ranges;
}

at::Tensor OnnxNetwork::forward(const at::Tensor& pixels) const {
  const at::NoGradGuard no_grad;
  std::map<std::string, OnnxTorchValue> values{{input_, {pixels, std::nullopt}}};
  for (const Step& step : steps_) {
    Inputs inputs;
    for (const std::string& name : step.inputs) {
      const auto value = values.find(name);
      const auto constant = constants_.find(name);
      inputs.push_back(value != values.end()          ? &value->second
                       : constant != constants_.end() ? &constant->second
                                                      : nullptr);
    }
    OnnxTorchValue result = step.compute(inputs);
    for (const std::string& name : step.released) values.erase(name);
    values.insert_or_assign(step.output, std::move(result));
  }
  const at::Tensor& embeddings = values.at(output_).tensor;
  ensure(embeddings.defined() && embeddings.numel() == pixels.size(0) * embedding_size_,
         "a network gives every face its embedding");
  return embeddings.reshape({pixels.size(0), embedding_size_}).to(at::kFloat).contiguous();
}

}  // namespace uir
