#include "uir/plan/network_facts.h"

#include <set>

namespace uir {
namespace {

bool is_layer(const Op& op) { return op.parameters() > 0; }

// kept: the values that layers before this one keep.
int64_t kept_elements_of(const Op& op, const std::vector<Op>& ops, std::set<int64_t>& kept) {
  if (op.thins_input()) return op.in_channels * op.out_size * op.out_size;
  const int64_t input = op.inputs[0];
  const bool float32_input = input != kNetworkInput && ops[input].always_float32;
  if (op.always_float32 && !float32_input) return op.in_elements();  // a float32 copy of the value
  return kept.insert(input).second ? op.in_elements() : 0;
}

template <class Of>
int64_t sum(const std::vector<LayerFacts>& layers, const Of& of) {
  int64_t total = 0;
  for (const LayerFacts& layer : layers) total += of(layer);
  return total;
}

int64_t challenge_flops_of(const LayerFacts& layer) {
  if (layer.kind == OpKind::kConv) {  // none has a bias
    const int64_t taps = 2 * layer.in_channels * layer.kernel * layer.kernel - 1;
    return taps * layer.out_elements() / layer.groups;
  }
  if (layer.kind != OpKind::kLinear) return 0;
  return 2 * layer.multiply_adds() - (layer.bias ? 0 : layer.out_channels);
}

}  // namespace

int64_t NetworkFacts::parameters() const {
  return sum(layers, [](const LayerFacts& layer) { return layer.parameters(); });
}
int64_t NetworkFacts::multiply_adds() const {
  return sum(layers, [](const LayerFacts& layer) { return layer.multiply_adds(); });
}
int64_t NetworkFacts::statistics() const {
  return sum(layers, [](const LayerFacts& layer) {
    return layer.kind == OpKind::kBatchNorm ? 2 * layer.in_channels : 0;
  });
}
int64_t NetworkFacts::challenge_flops() const { return sum(layers, challenge_flops_of); }

NetworkFacts network_facts(const ModelConfig& config) {
  const Blueprint blueprint = network_blueprint(config);
  NetworkFacts facts{{}, blueprint.embedding_size};
  std::set<int64_t> kept;
  for (const int64_t i : evaluation_order(blueprint.ops)) {
    const Op& op = blueprint.ops[i];
    if (is_layer(op)) facts.layers.push_back({op, kept_elements_of(op, blueprint.ops, kept)});
  }
  return facts;
}

}  // namespace uir
