#include <torch/nn/module.h>

#include <cmath>

#include "uir/base/file.h"
#include "uir/base/parallel.h"
#include "uir/base/random.h"
#include "uir/model/backbone.h"
#include "uir/model/layers.h"

namespace uir {
namespace {

// Fills with draw(random), element by element; the numbers depend on the seed and the parameter's name alone.
template <class Draw>
void fill(const std::string& name, const at::Tensor& parameter, uint64_t seed, Draw&& draw) {
  constexpr int64_t kBlock = 4096;
  const uint64_t stream = checksum64(as_bytes(name));
  float* values = parameter.data_ptr<float>();
  parallel_blocks(parameter.numel(), kBlock, 0, [&](int64_t begin, int64_t end) {
    ItemRandom random(seed, RandomPurpose::kInit, stream, static_cast<uint64_t>(begin / kBlock));
    for (int64_t i = begin; i < end; ++i) values[i] = static_cast<float>(draw(random));
  });
}

void fill_normal(const std::string& name, const at::Tensor& parameter, uint64_t seed, double deviation) {
  fill(name, parameter, seed, [=](ItemRandom& random) { return deviation * random.normal(); });
}

void fill_uniform(const std::string& name, const at::Tensor& parameter, uint64_t seed, double bound) {
  fill(name, parameter, seed, [=](ItemRandom& random) { return random.uniform(-bound, bound); });
}

// Convolutions N(0, 0.1); the linear layer as PyTorch's default, U(±1 / √inputs).
void initialize(const IResNetConfig&, Backbone& network, uint64_t seed) {
  const auto parameters = network.named_parameters();
  const double bound = 1 / std::sqrt(static_cast<double>(parameters["fc.weight"].size(1)));
  for (const auto& parameter : parameters) {
    if (parameter.value().dim() == 4) fill_normal(parameter.key(), parameter.value(), seed, 0.1);
    if (parameter.key().starts_with("fc.")) fill_uniform(parameter.key(), parameter.value(), seed, bound);
  }
}

// Kaiming normal, fan out, for a ReLU (He et al., ICCV 2015, equation 14): N(0, √(2 / (outputs · kernel
// area))).
void initialize(const MobileFaceNetConfig&, Backbone& network, uint64_t seed) {
  for (const auto& parameter : network.named_parameters()) {
    const at::Tensor& weight = parameter.value();
    if (weight.dim() < 2) continue;
    const auto fan_out = static_cast<double>(weight.numel() / weight.size(1));
    fill_normal(parameter.key(), weight, seed, std::sqrt(2 / fan_out));
  }
}

using NamedState = std::vector<std::pair<std::string, at::Tensor>>;

void append_state(const torch::nn::Module& module, const std::string& prefix, NamedState& state) {
  for (const auto& parameter : module.named_parameters(/*recurse=*/false)) {
    state.emplace_back(prefix + parameter.key(), parameter.value());
  }
  for (const auto& buffer : module.named_buffers(/*recurse=*/false)) {
    state.emplace_back(prefix + buffer.key(), buffer.value());
  }
  for (const auto& child : module.named_children())
    append_state(*child.value(), prefix + child.key() + ".", state);
}

}  // namespace

std::shared_ptr<Backbone> make_uninitialized_backbone(const ModelConfig& config, uint64_t seed) {
  return std::make_shared<Backbone>(network_blueprint(config), seed);
}

std::shared_ptr<Backbone> make_backbone(const ModelConfig& config, uint64_t seed) {
  auto network = make_uninitialized_backbone(config, seed);
  std::visit([&](const auto& c) { initialize(c, *network, seed); }, config.backbone);
  return network;
}

void move_to(Backbone& backbone, at::Device device) {
  backbone.to(device);
  if (device.is_cpu()) return;
  for (at::Tensor& parameter : backbone.parameters()) {
    if (parameter.dim() == 4) parameter.set_data(parameter.contiguous(at::MemoryFormat::ChannelsLast));
  }
}

NamedState named_state(const torch::nn::Module& module) {
  NamedState state;
  append_state(module, "", state);
  return state;
}

void synchronize_batch_norms(Backbone& backbone, const GatherRows& gather) {
  for (const auto& module : backbone.modules()) {
    if (auto* norm = module->as<BatchNorm>()) norm->synchronize(gather);
  }
}

int64_t num_parameters(const Backbone& backbone) {
  int64_t count = 0;
  for (const at::Tensor& parameter : backbone.parameters()) count += parameter.numel();
  return count;
}

}  // namespace uir
