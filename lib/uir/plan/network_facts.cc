#include "uir/plan/network_facts.h"

#include <utility>
#include <variant>

#include "uir/base/error.h"

namespace uir {
namespace {

constexpr int64_t kPixels = 112;

// A tensor of one image between two layers.
struct Value {
  int64_t channels = 0, size = 1;
  bool kept = false;  // by a layer for backward
  int64_t elements() const { return channels * size * size; }
};

struct Convolution {
  int64_t out = 0;
  int64_t kernel = 3, stride = 1, padding = 1, groups = 1;
};
Convolution pointwise(int64_t out, int64_t stride = 1) { return {out, 1, stride, 0}; }

class Writer {
 public:
  // From here on everything is computed in float32, on a copy of the value where that is not its type.
  Value to_float32(const Value& x) {
    float32_ = true;
    return {x.channels, x.size};
  }

  Value conv(const std::string& name, Value& x, const Convolution& c) {
    const int64_t out_size = (x.size + 2 * c.padding - c.kernel) / c.stride + 1;
    LayerFacts layer = start(name, LayerKind::kConv, x);
    layer.out_channels = c.out;
    layer.out_size = out_size;
    layer.kernel = c.kernel;
    layer.stride = c.stride;
    layer.groups = c.groups;
    layer.parameters = c.out * x.channels / c.groups * c.kernel * c.kernel;
    layer.multiply_adds = layer.parameters * out_size * out_size;
    const bool thinned = c.kernel == 1 && c.stride > 1 && x.channels % 16 != 0;
    layer.kept_elements = thinned ? x.channels * out_size * out_size : keep(x);
    layers_.push_back(layer);
    return {c.out, out_size};
  }

  Value batch_norm(const std::string& name, Value& x) {
    LayerFacts layer = start(name, LayerKind::kBatchNorm, x);
    layer.bias = true;
    layer.parameters = 2 * x.channels;
    layer.kept_elements = keep(x);
    layers_.push_back(layer);
    return {x.channels, x.size};
  }
  Value batch_norm(const std::string& name, Value&& x) { return batch_norm(name, x); }

  Value prelu(const std::string& name, const Value& x) {
    LayerFacts layer = start(name, LayerKind::kPReLU, x);
    layer.parameters = x.channels;
    layer.kept_elements = x.elements();
    layers_.push_back(layer);
    return {x.channels, x.size};
  }

  Value linear(const std::string& name, const Value& x, int64_t out, bool bias) {
    const int64_t in = x.elements();
    LayerFacts layer = start(name, LayerKind::kLinear, x);
    layer.in_channels = in;
    layer.in_size = layer.out_size = 1;
    layer.out_channels = out;
    layer.bias = bias;
    layer.multiply_adds = in * out;
    layer.parameters = in * out + (bias ? out : 0);
    layer.kept_elements = in;
    layers_.push_back(layer);
    return {out, 1};
  }

  // MobileFaceNet's blocks, with the names of a module "layers" inside them.
  Value conv_block(const std::string& name, Value& x, const Convolution& c) {
    Value y = linear_block(name, x, c);
    return prelu(name + ".layers.2", y);
  }
  Value linear_block(const std::string& name, Value& x, const Convolution& c) {
    return batch_norm(name + ".layers.1", conv(name + ".layers.0", x, c));
  }

  std::vector<LayerFacts> take() { return std::move(layers_); }

 private:
  LayerFacts start(const std::string& name, LayerKind kind, const Value& x) const {
    LayerFacts layer;
    layer.name = name;
    layer.kind = kind;
    layer.in_channels = layer.out_channels = x.channels;
    layer.in_size = layer.out_size = x.size;
    layer.always_float32 = float32_;
    return layer;
  }
  static int64_t keep(Value& x) { return std::exchange(x.kept, true) ? 0 : x.elements(); }

  std::vector<LayerFacts> layers_;
  bool float32_ = false;
};

Value iresnet_block(Writer& w, const std::string& name, Value x, int64_t out, int64_t stride) {
  if (stride != 1) {
    w.batch_norm(name + ".downsample.1", w.conv(name + ".downsample.0", x, pointwise(out, stride)));
  }
  Value y = w.batch_norm(name + ".bn1", x);
  y = w.prelu(name + ".prelu", w.batch_norm(name + ".bn2", w.conv(name + ".conv1", y, {out})));
  return w.batch_norm(name + ".bn3", w.conv(name + ".conv2", y, {out, 3, stride}));
}

std::vector<LayerFacts> layers_of(const IResNetConfig& config) {
  Writer w;
  Value x{3, kPixels};
  const BlocksPerStage blocks = blocks_per_stage(config);
  x = w.prelu("prelu", w.batch_norm("bn1", w.conv("conv1", x, {scaled_channels(64, config.width)})));
  for (int64_t stage = 0; stage < 4; ++stage) {
    for (int64_t b = 0; b < blocks[stage]; ++b) {
      const std::string name = concat("layer", stage + 1, ".", b);
      x = iresnet_block(w, name, x, scaled_channels(64 << stage, config.width), b == 0 ? 2 : 1);
    }
  }
  x = w.to_float32(w.batch_norm("bn2", x));
  w.batch_norm("features", w.linear("fc", x, config.embedding_size, /*bias=*/true));
  return w.take();
}

// 1×1 expansion to `groups` channels, depthwise 3×3, 1×1 projection. x is kept by the expansion.
Value depthwise(Writer& w, const std::string& name, Value x, int64_t out, int64_t groups, int64_t stride) {
  Value y = w.conv_block(name + ".layers.0", x, pointwise(groups));
  y = w.conv_block(name + ".layers.1", y, {groups, 3, stride, 1, groups});
  return w.linear_block(name + ".layers.2", y, pointwise(out));
}

Value residuals(Writer& w, const std::string& name, Value x, int64_t count, int64_t groups) {
  for (int64_t i = 0; i < count; ++i) {
    x = depthwise(w, concat(name, ".layers.", i), x, x.channels, groups, 1);
  }
  return x;
}

std::vector<LayerFacts> layers_of(const MobileFaceNetConfig& config) {
  Writer w;
  const BlocksPerStage blocks = blocks_per_stage(config);
  const int64_t scale = config.large ? 4 : 2;
  const auto channels = [&](int64_t count) { return scaled_channels(count, config.width); };
  const int64_t narrow = channels(64 * scale), wide = channels(128 * scale), last = channels(512);
  Value x{3, kPixels};
  x = w.conv_block("layers.0", x, {narrow, 3, 2});
  x = config.large ? residuals(w, "layers.1", x, blocks[0], channels(128))
                   : w.conv_block("layers.1", x, {narrow, 3, 1, 1, narrow / 2});
  x = depthwise(w, "layers.2", x, narrow, channels(128), 2);
  x = residuals(w, "layers.3", x, blocks[1], channels(128));
  x = depthwise(w, "layers.4", x, wide, channels(256), 2);
  x = residuals(w, "layers.5", x, blocks[2], channels(256));
  x = depthwise(w, "layers.6", x, wide, channels(512), 2);
  x = residuals(w, "layers.7", x, blocks[3], channels(256));
  x = w.to_float32(x);
  x = w.conv_block("conv_sep", x, pointwise(last));
  x = w.linear_block("features.layers.0", x, {last, 7, 1, 0, last});
  w.batch_norm("features.layers.3", w.linear("features.layers.2", x, config.embedding_size, /*bias=*/false));
  return w.take();
}

template <class Of>
int64_t sum(const std::vector<LayerFacts>& layers, const Of& of) {
  int64_t total = 0;
  for (const LayerFacts& layer : layers) total += of(layer);
  return total;
}

int64_t challenge_flops_of(const LayerFacts& layer) {
  if (layer.kind == LayerKind::kConv) {  // none has a bias
    const int64_t taps = 2 * layer.in_channels * layer.kernel * layer.kernel - 1;
    return taps * layer.out_elements() / layer.groups;
  }
  if (layer.kind != LayerKind::kLinear) return 0;
  return 2 * layer.multiply_adds - (layer.bias ? 0 : layer.out_channels);
}

}  // namespace

int64_t NetworkFacts::parameters() const {
  return sum(layers, [](const LayerFacts& layer) { return layer.parameters; });
}
int64_t NetworkFacts::multiply_adds() const {
  return sum(layers, [](const LayerFacts& layer) { return layer.multiply_adds; });
}
int64_t NetworkFacts::statistics() const {
  return sum(layers, [](const LayerFacts& layer) {
    return layer.kind == LayerKind::kBatchNorm ? 2 * layer.in_channels : 0;
  });
}
int64_t NetworkFacts::challenge_flops() const { return sum(layers, challenge_flops_of); }

NetworkFacts network_facts(const ModelConfig& config) {
  return std::visit(
      [](const auto& network) {
        return NetworkFacts{layers_of(network), network.embedding_size};
      },
      config.backbone);
}

}  // namespace uir
