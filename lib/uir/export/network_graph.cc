#include "uir/export/network_graph.h"

#include <ATen/ops/zeros.h>

#include <utility>

#include "uir/model/state_dict.h"

namespace uir {
namespace {

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
    const at::Tensor scale = value(".weight") / (value(".running_var") + kBatchNormEpsilon).sqrt();
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

NetworkGraph network_graph(const Backbone& backbone) {
  return {backbone.blueprint().ops, state_dict(backbone), backbone.embedding_size()};
}

NetworkGraph with_normalization(NetworkGraph graph) {
  for (Op& op : graph.ops) {
    for (int64_t& input : op.inputs) ++input;  // the network's input becomes operation 0
  }
  Op normalize;
  normalize.kind = OpKind::kNormalize;
  normalize.name = "normalize";
  normalize.inputs = {kNetworkInput};
  normalize.in_channels = normalize.out_channels = graph.ops.front().in_channels;
  normalize.in_size = normalize.out_size = graph.ops.front().in_size;
  graph.ops.insert(graph.ops.begin(), std::move(normalize));
  return graph;
}

NetworkGraph with_folded_batch_norms(NetworkGraph graph) { return Folding(std::move(graph)).run(); }

}  // namespace uir
