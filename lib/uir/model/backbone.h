// The networks: IResNet and MobileFaceNet with InsightFace's structure and state-dict keys (docs/architecture.md).
//
// Shapes: images uint8 [B, 112, 112, 3] RGB → embeddings float32 [B, D], unnormalised.
// Source: arcface_torch's iresnet.py and mobilefacenet.py, structure only.
// Threads: one forward at a time per network.
#pragma once

#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <string>

#include "uir/model/config.h"

namespace uir {

class Backbone : public torch::nn::Module {
 public:
  // pixels: float or bf16 [B, 3, 112, 112] channels-last, normalised to [−1, 1] (see normalize_pixels). Convolutions
  // run in pixels' type; the last layers and the result are float32.
  virtual at::Tensor forward(const at::Tensor& pixels) = 0;
  virtual int64_t embedding_size() const = 0;
};

// A network with freshly initialised weights, a function of the seed alone.
std::shared_ptr<Backbone> make_backbone(const ModelConfig& config, uint64_t seed);

// uint8 NHWC → (x − 127.5) / 127.5 as NCHW channels-last of the given type, on the images' device; no transpose.
at::Tensor normalize_pixels(const at::Tensor& images, at::ScalarType type);

}  // namespace uir
