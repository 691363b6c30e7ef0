#include "uir/export/network_graph.h"

#include <ATen/ops/zeros.h>

#include <utility>
#include <variant>

#include "uir/base/error.h"
#include "uir/model/layers.h"
#include "uir/model/state_dict.h"

namespace uir {
namespace {

// Appends operations; values are numbered by the operation that makes them.
class Builder {
 public:
  explicit Builder(const Backbone& backbone) {
    graph_.tensors = state_dict(backbone);
    graph_.embedding_size = backbone.embedding_size();
  }

  bool has(const std::string& name) const { return graph_.tensors.contains(name); }
  int64_t conv(const std::string& name, int64_t x, int64_t stride = 1) {
    return add_conv(name, x, stride, weight(name).size(2) / 2);
  }
  int64_t unpadded_conv(const std::string& name, int64_t x) { return add_conv(name, x, 1, 0); }
  int64_t batch_norm(const std::string& name, int64_t x) {
    return add({OpKind::kBatchNorm, name, {x}}, channels(x));
  }
  int64_t prelu(const std::string& name, int64_t x) { return add({OpKind::kPRelu, name, {x}}, channels(x)); }
  int64_t sum(const std::string& name, int64_t x, int64_t y) {
    return add({OpKind::kAdd, name, {x, y}}, channels(x));
  }
  int64_t flatten(int64_t x) { return add({OpKind::kFlatten, "flatten", {x}}, 0); }
  int64_t linear(const std::string& name, int64_t x) {
    return add({.kind = OpKind::kLinear, .name = name, .inputs = {x}, .bias = has(name + ".bias")}, 0);
  }

  NetworkGraph graph() { return std::move(graph_); }

 private:
  const at::Tensor& weight(const std::string& name) const { return graph_.tensors.at(name + ".weight"); }
  int64_t channels(int64_t x) const { return x == kNetworkInput ? 3 : channels_.at(static_cast<size_t>(x)); }
  int64_t add_conv(const std::string& name, int64_t x, int64_t stride, int64_t padding) {
    const at::Tensor& w = weight(name);
    return add({.kind = OpKind::kConv,
                .name = name,
                .inputs = {x},
                .kernel = w.size(2),
                .stride = stride,
                .padding = padding,
                .groups = channels(x) / w.size(1)},
               w.size(0));
  }
  int64_t add(Op op, int64_t channels) {
    graph_.ops.push_back(std::move(op));
    channels_.push_back(channels);
    return static_cast<int64_t>(graph_.ops.size()) - 1;
  }

  NetworkGraph graph_;
  std::vector<int64_t> channels_;
};

int64_t residual_block(Builder& net, const std::string& name, int64_t x, int64_t stride) {
  int64_t y = net.conv(name + "conv1", net.batch_norm(name + "bn1", x));
  y = net.prelu(name + "prelu", net.batch_norm(name + "bn2", y));
  y = net.batch_norm(name + "bn3", net.conv(name + "conv2", y, stride));
  if (stride == 1) return net.sum(name + "add", y, x);
  const int64_t shortcut = net.conv(name + "downsample.0", x, stride);
  return net.sum(name + "add", y, net.batch_norm(name + "downsample.1", shortcut));
}

void build(const IResNetConfig&, Builder& net) {
  int64_t x = net.prelu("prelu", net.batch_norm("bn1", net.conv("conv1", kNetworkInput)));
  for (int64_t stage = 1; stage <= 4; ++stage) {
    for (int64_t b = 0;; ++b) {
      const std::string name = concat("layer", stage, ".", b, ".");
      if (!net.has(name + "conv1.weight")) break;
      x = residual_block(net, name, x, b == 0 ? 2 : 1);
    }
  }
  x = net.flatten(net.batch_norm("bn2", x));
  net.batch_norm("features", net.linear("fc", x));
}

int64_t conv_block(Builder& net, const std::string& name, int64_t x, int64_t stride = 1) {
  const int64_t y = net.batch_norm(name + ".layers.1", net.conv(name + ".layers.0", x, stride));
  return net.prelu(name + ".layers.2", y);
}

int64_t depthwise_block(Builder& net, const std::string& name, int64_t x, int64_t stride) {
  const int64_t y = conv_block(net, name + ".layers.1", conv_block(net, name + ".layers.0", x), stride);
  const std::string project = name + ".layers.2.layers.";
  const int64_t z = net.batch_norm(project + "1", net.conv(project + "0", y));
  return stride == 1 ? net.sum(name + ".add", z, x) : z;
}

int64_t residual_blocks(Builder& net, const std::string& name, int64_t x) {
  for (int64_t b = 0;; ++b) {
    const std::string block = concat(name, ".layers.", b);
    if (!net.has(block + ".layers.0.layers.0.weight")) return x;
    x = depthwise_block(net, block, x, 1);
  }
}

void build(const MobileFaceNetConfig& config, Builder& net) {
  int64_t x = conv_block(net, "layers.0", kNetworkInput, 2);
  x = config.large ? residual_blocks(net, "layers.1", x) : conv_block(net, "layers.1", x);
  for (int64_t step = 2; step < 8; step += 2) {
    x = depthwise_block(net, concat("layers.", step), x, 2);
    x = residual_blocks(net, concat("layers.", step + 1), x);
  }
  x = net.unpadded_conv("features.layers.0.layers.0", conv_block(net, "conv_sep", x));
  x = net.flatten(net.batch_norm("features.layers.0.layers.1", x));
  net.batch_norm("features.layers.3", net.linear("features.layers.2", x));
}

// Batch norms as y = scale · x + shift, folded one by one.
class Folding {
 public:
  explicit Folding(NetworkGraph graph) : graph_(std::move(graph)), same_as_(graph_.ops.size()) {
    for (size_t i = 0; i < same_as_.size(); ++i) same_as_[i] = static_cast<int64_t>(i);
  }

  NetworkGraph run() {
    for (size_t i = 0; i < graph_.ops.size(); ++i) {
      if (graph_.ops[i].kind == OpKind::kBatchNorm && fold(graph_.ops[i])) {
        remove_tensors(graph_.ops[i].name);
        same_as_[i] = graph_.ops[i].inputs[0];
      }
    }
    return without_removed();
  }

 private:
  struct Affine {
    at::Tensor scale, shift;  // float64 [C]
  };

  bool fold(const Op& norm) {
    const int64_t before = real(norm.inputs[0]);
    if (before != kNetworkInput && is_product(op(before)) && only_reader(before)) {
      fold_behind(op(before), affine(norm.name));
      return true;
    }
    Op* flatten = only_reader(position(norm));
    Op* linear = flatten && flatten->kind == OpKind::kFlatten ? only_reader(position(*flatten)) : nullptr;
    if (!linear || linear->kind != OpKind::kLinear) return false;
    fold_in_front(*linear, affine(norm.name));
    return true;
  }

  Affine affine(const std::string& norm) const {
    const auto value = [&](const char* part) { return graph_.tensors.at(norm + part).to(at::kDouble); };
    const at::Tensor scale = value(".weight") / (value(".running_var") + BatchNorm::kEpsilon).sqrt();
    return {scale, value(".bias") - value(".running_mean") * scale};
  }

  // norm(Wx + b) = (scale W) x + (scale b + shift)
  void fold_behind(Op& product, const Affine& norm) {
    at::Tensor& weight = graph_.tensors.at(product.name + ".weight");
    std::vector<int64_t> per_output(static_cast<size_t>(weight.dim()), 1);
    per_output[0] = -1;
    const at::Tensor b = bias(product);
    weight = (weight.to(at::kDouble) * norm.scale.view(per_output)).to(at::kFloat);
    set_bias(product, b * norm.scale + norm.shift);
  }

  // W norm(x) + b = (W scale) x + (b + W shift); every channel is a run of equally many columns.
  void fold_in_front(Op& linear, const Affine& norm) {
    at::Tensor& weight = graph_.tensors.at(linear.name + ".weight");
    const at::Tensor weight_OCP = weight.to(at::kDouble).view({weight.size(0), norm.scale.size(0), -1});
    const at::Tensor b = bias(linear);
    set_bias(linear, b + (weight_OCP * norm.shift.view({1, -1, 1})).sum({1, 2}));
    weight = (weight_OCP * norm.scale.view({1, -1, 1})).flatten(1).to(at::kFloat);
  }

  at::Tensor bias(const Op& product) const {
    if (product.bias) return graph_.tensors.at(product.name + ".bias").to(at::kDouble);
    const at::Tensor& weight = graph_.tensors.at(product.name + ".weight");
    return at::zeros({weight.size(0)}, weight.options().dtype(at::kDouble));
  }
  void set_bias(Op& product, const at::Tensor& bias) {
    graph_.tensors[product.name + ".bias"] = bias.to(at::kFloat);
    product.bias = true;
  }

  static bool is_product(const Op& op) { return op.kind == OpKind::kConv || op.kind == OpKind::kLinear; }
  Op& op(int64_t value) { return graph_.ops[static_cast<size_t>(value)]; }
  int64_t position(const Op& op) const { return &op - graph_.ops.data(); }
  int64_t real(int64_t value) const {
    while (value != kNetworkInput && is_removed(value)) value = same_as_[static_cast<size_t>(value)];
    return value;
  }
  bool is_removed(int64_t value) const { return same_as_[static_cast<size_t>(value)] != value; }
  // The operation that reads a value, if it is the only one.
  Op* only_reader(int64_t value) {
    Op* reader = nullptr;
    for (Op& candidate : graph_.ops) {
      if (is_removed(position(candidate))) continue;
      for (const int64_t input : candidate.inputs) {
        if (real(input) != value) continue;
        if (reader) return nullptr;
        reader = &candidate;
      }
    }
    return reader;
  }

  void remove_tensors(const std::string& norm) {
    for (const char* part : {".weight", ".bias", ".running_mean", ".running_var", ".num_batches_tracked"})
      graph_.tensors.erase(norm + part);
  }

  NetworkGraph without_removed() {
    std::vector<Op> kept;
    std::vector<int64_t> new_position(graph_.ops.size());
    for (size_t i = 0; i < graph_.ops.size(); ++i) {
      if (is_removed(static_cast<int64_t>(i))) continue;
      new_position[i] = static_cast<int64_t>(kept.size());
      Op moved = std::move(graph_.ops[i]);
      for (int64_t& input : moved.inputs) {
        input = real(input);
        if (input != kNetworkInput) input = new_position[static_cast<size_t>(input)];
      }
      kept.push_back(std::move(moved));
    }
    graph_.ops = std::move(kept);
    return std::move(graph_);
  }

  NetworkGraph graph_;
  std::vector<int64_t> same_as_;  // for a removed operation, the value that stands for its result
};

}  // namespace

NetworkGraph network_graph(const ModelConfig& config, const Backbone& backbone) {
  Builder builder(backbone);
  std::visit([&](const auto& c) { build(c, builder); }, config.backbone);
  return builder.graph();
}

NetworkGraph with_normalization(NetworkGraph graph) {
  for (Op& op : graph.ops) {
    for (int64_t& input : op.inputs) ++input;  // the network's input becomes operation 0
  }
  graph.ops.insert(graph.ops.begin(), {OpKind::kNormalize, "normalize", {kNetworkInput}});
  return graph;
}

NetworkGraph with_folded_batch_norms(NetworkGraph graph) { return Folding(std::move(graph)).run(); }

}  // namespace uir
