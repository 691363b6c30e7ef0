// Everything that is derived from a network's blueprint says the same of it: the live network, the exported
// graph and the plan agree with the blueprint in keys, shapes, parameters and operations.
#include <ATen/ATen.h>

#include "uir/model/backbone.h"
//
#include <utility>
#include <vector>

#include "support/catch.h"
#include "uir/export/network_graph.h"
#include "uir/network/blueprint.h"
#include "uir/plan/network_facts.h"

namespace uir {
namespace {

using Shape = std::vector<int64_t>;
using Shapes = std::vector<std::pair<std::string, Shape>>;

// The tensors that blueprint.h promises, by key in the order of the state dict.
Shapes promised_shapes(const Blueprint& network) {
  Shapes shapes;
  for (const Op& op : network.ops) {
    const auto add = [&](const char* part, const Shape& shape) {
      shapes.emplace_back(op.name + part, shape);
    };
    if (op.kind == OpKind::kConv)
      add(".weight", {op.out_channels, op.in_channels / op.groups, op.kernel, op.kernel});
    if (op.kind == OpKind::kLinear) add(".weight", {op.out_channels, op.in_channels});
    if (op.kind == OpKind::kLinear && op.bias) add(".bias", {op.out_channels});
    if (op.kind == OpKind::kPReLU) add(".weight", {op.in_channels});
    if (op.kind != OpKind::kBatchNorm) continue;
    for (const char* part : {".weight", ".bias", ".running_mean", ".running_var"})
      add(part, {op.in_channels});
    add(".num_batches_tracked", {});
  }
  return shapes;
}

Shapes live_shapes(const Backbone& backbone) {
  Shapes shapes;
  for (const auto& [key, tensor] : named_state(backbone)) shapes.emplace_back(key, tensor.sizes().vec());
  return shapes;
}

Shapes graph_shapes(const NetworkGraph& graph) {
  Shapes shapes;
  for (const auto& [key, tensor] : graph.tensors) shapes.emplace_back(key, tensor.sizes().vec());
  return shapes;
}

Shapes sorted(Shapes shapes) {
  std::sort(shapes.begin(), shapes.end());
  return shapes;
}

struct Work {
  int64_t parameters = 0, multiply_adds = 0, challenge_flops = 0;
  bool operator==(const Work&) const = default;
};

// From the shapes of the exported tensors alone: images of 112 × 112 walk through kernels, strides and
// padding.
Work work_of(const NetworkGraph& graph) {
  Work work;
  std::vector<int64_t> sizes;
  for (const Op& op : graph.ops) {
    int64_t size = op.inputs[0] == kNetworkInput ? 112 : sizes[op.inputs[0]];
    const bool conv = op.kind == OpKind::kConv, linear = op.kind == OpKind::kLinear;
    if (conv) size = (size + 2 * op.padding - op.kernel) / op.stride + 1;
    if (op.kind == OpKind::kFlatten) size = 1;
    sizes.push_back(size);
    for (const char* part : {".weight", ".bias"}) {
      const auto found = graph.tensors.find(op.name + part);
      if (found != graph.tensors.end()) work.parameters += found->second.numel();
    }
    if (!conv && !linear) continue;
    const at::Tensor& weight = graph.tensors.at(op.name + ".weight");
    work.multiply_adds += weight.numel() * size * size;
    const int64_t taps = weight.numel() / weight.size(0) * op.groups;  // of a convolution without groups
    const int64_t operations = 2 * taps - (graph.tensors.contains(op.name + ".bias") ? 0 : 1);
    work.challenge_flops += operations * weight.size(0) * size * size / op.groups;
  }
  return work;
}

Work work_of(const NetworkFacts& facts) {
  return {facts.parameters(), facts.multiply_adds(), facts.challenge_flops()};
}

void check_agreement(const ModelConfig& config) {
  const Blueprint network = network_blueprint(config);
  const auto backbone = make_uninitialized_backbone(config, 0);
  const Shapes shapes = promised_shapes(network);
  CHECK(live_shapes(*backbone) == shapes);

  const NetworkGraph graph = network_graph(*backbone);
  CHECK(graph_shapes(graph) == sorted(shapes));
  CHECK(graph.embedding_size == network.embedding_size);

  const NetworkFacts facts = network_facts(config);
  CHECK(facts.embedding_size == network.embedding_size);
  CHECK(work_of(facts) == work_of(graph));
  CHECK(facts.parameters() == num_parameters(*backbone));

  int64_t multiply_adds = 0, layers = 0;
  for (const Op& op : network.ops) {
    multiply_adds += op.multiply_adds();
    if (op.parameters() > 0) ++layers;
  }
  CHECK(multiply_adds == facts.multiply_adds());
  CHECK(layers == static_cast<int64_t>(facts.layers.size()));
}

TEST_CASE("blueprint, live network, exported graph and plan agree on every network at every width") {
  for (const double width : {1.0, 0.3, 0.0625}) {
    for (const int64_t depth : {18, 34, 50, 100, 200}) {
      INFO("iresnet " << depth << ", width " << width);
      check_agreement({IResNetConfig{.depth = depth, .width = width}});
    }
    for (const bool large : {false, true}) {
      INFO("mobilefacenet, large: " << large << ", width " << width);
      check_agreement({MobileFaceNetConfig{.large = large, .width = width, .embedding_size = 128}});
    }
  }
}

TEST_CASE("the live networks compute embeddings of the blueprint's size") {
  const at::NoGradGuard no_grad;
  for (const ModelConfig& config :
       {ModelConfig{IResNetConfig{.depth = 200, .width = 0.03, .embedding_size = 9}},
        ModelConfig{IResNetConfig{.depth = 34, .width = 0.1}},
        ModelConfig{MobileFaceNetConfig{.width = 0.1, .embedding_size = 30}},
        ModelConfig{MobileFaceNetConfig{.large = true, .width = 0.0625}}}) {
    const auto backbone = make_backbone(config, 1);
    backbone->eval();
    const at::Tensor images = at::zeros({2, 112, 112, 3}, at::kByte);
    const at::Tensor embeddings = backbone->forward(normalize_pixels(images, at::kFloat));
    CHECK(embeddings.sizes() == at::IntArrayRef({2, network_blueprint(config).embedding_size}));
  }
}

}  // namespace
}  // namespace uir
