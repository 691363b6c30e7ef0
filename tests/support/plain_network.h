// The networks once more, from LibTorch's own operators (those of nn::Conv2d, nn::BatchNorm2d, nn::PReLU) and
// nothing of ours: the oracle of the tests and the baseline of the benchmarks.
#pragma once

#include <ATen/ATen.h>

#include <map>
#include <string>

#include "uir/model/backbone.h"

namespace uir {

// Evaluates a copy of a network's state by its keys alone. Convolutions, normalisations and activations run
// in the pixels' type with weights cast to it, as autocast would do; the last layers in float32.
class PlainNetwork {
 public:
  PlainNetwork(const Backbone& network, bool training) : training_(training) {
    for (const auto& [key, tensor] : named_state(network)) {
      state_[key] = tensor.detach().clone();
      if (tensor.requires_grad()) state_[key].requires_grad_();
    }
  }
  at::Tensor forward(const at::Tensor& pixels) {
    return has("fc.weight") ? iresnet(pixels) : mobilefacenet(pixels);
  }
  at::Tensor& operator[](const std::string& key) { return state_.at(key); }
  void clear_gradients() {
    for (auto& [key, tensor] : state_) tensor.mutable_grad().reset();
  }

 private:
  bool has(const std::string& key) const { return state_.count(key) > 0; }
  at::Tensor conv(const std::string& name, const at::Tensor& x, int64_t stride, int64_t padding,
                  int64_t groups = 1) {
    return at::conv2d(x, state_.at(name + ".weight").to(x.scalar_type()), {}, stride, padding, 1, groups);
  }
  at::Tensor bn(const std::string& name, const at::Tensor& x) {
    return at::batch_norm(x, state_.at(name + ".weight"), state_.at(name + ".bias"),
                          state_.at(name + ".running_mean"), state_.at(name + ".running_var"), training_, 0.1,
                          1e-5, false);
  }
  at::Tensor prelu(const std::string& name, const at::Tensor& x) {
    return at::prelu(x, state_.at(name + ".weight").to(x.scalar_type()));
  }

  at::Tensor iresnet(at::Tensor x) {
    x = prelu("prelu", bn("bn1", conv("conv1", x, 1, 1)));
    for (int stage = 1; stage <= 4; ++stage) {
      for (int b = 0;; ++b) {
        const std::string block = "layer" + std::to_string(stage) + "." + std::to_string(b) + ".";
        if (!has(block + "conv1.weight")) break;
        at::Tensor y =
            prelu(block + "prelu", bn(block + "bn2", conv(block + "conv1", bn(block + "bn1", x), 1, 1)));
        y = bn(block + "bn3", conv(block + "conv2", y, b == 0 ? 2 : 1, 1));
        x = y + (b == 0 ? bn(block + "downsample.1", conv(block + "downsample.0", x, 2, 0)) : x);
      }
    }
    x = bn("bn2", x).flatten(1).to(at::kFloat);
    return bn("features", at::linear(x, state_.at("fc.weight"), state_.at("fc.bias")));
  }

  at::Tensor conv_block(const std::string& name, const at::Tensor& x, int64_t stride, int64_t padding,
                        int64_t groups) {
    return prelu(name + ".layers.2",
                 bn(name + ".layers.1", conv(name + ".layers.0", x, stride, padding, groups)));
  }
  at::Tensor depthwise(const std::string& name, const at::Tensor& x, int64_t stride) {
    at::Tensor y = conv_block(name + ".layers.0", x, 1, 0, 1);
    y = conv_block(name + ".layers.1", y, stride, 1, y.size(1));
    y = bn(name + ".layers.2.layers.1", conv(name + ".layers.2.layers.0", y, 1, 0));
    return stride == 1 ? x + y : y;
  }
  at::Tensor residual(const std::string& name, at::Tensor x) {
    for (int i = 0; has(name + ".layers." + std::to_string(i) + ".layers.0.layers.0.weight"); ++i) {
      x = depthwise(name + ".layers." + std::to_string(i), x, 1);
    }
    return x;
  }
  at::Tensor mobilefacenet(at::Tensor x) {
    x = conv_block("layers.0", x, 2, 1, 1);
    x = has("layers.1.layers.0.weight") ? conv_block("layers.1", x, 1, 1, x.size(1) / 2)
                                        : residual("layers.1", x);
    for (int i = 2; i < 8; i += 2) {
      x = depthwise("layers." + std::to_string(i), x, 2);
      x = residual("layers." + std::to_string(i + 1), x);
    }
    x = conv_block("conv_sep", x.to(at::kFloat), 1, 0, 1);
    x = bn("features.layers.0.layers.1", conv("features.layers.0.layers.0", x, 1, 0, x.size(1))).flatten(1);
    return bn("features.layers.3", at::linear(x, state_.at("features.layers.2.weight")));
  }

  bool training_;
  std::map<std::string, at::Tensor> state_;
};

}  // namespace uir
