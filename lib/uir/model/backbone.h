// The networks: IResNet and MobileFaceNet with InsightFace's structure and state-dict keys
// (docs/architecture.md).
//
// Shapes: images uint8 [B, 112, 112, 3] RGB → embeddings float32 [B, D], unnormalised.
// Source: arcface_torch's iresnet.py and mobilefacenet.py, structure only. Departure: a width multiplier,
// which rounds every channel count to a multiple of 8, at least 8, and leaves the embedding's size alone.
// Threads: one forward at a time per network. Results depend on the number of LibTorch's intra-op threads in
// training (gradients are summed per thread), not in evaluation.
#pragma once

#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "uir/model/batch_norm.h"
#include "uir/model/config.h"

namespace uir {

class Backbone : public torch::nn::Module {
 public:
  // pixels: float or bf16 (float16 on CUDA) [B, 3, 112, 112] channels-last, normalised to [−1, 1] (see
  // normalize_pixels). Convolutions run in pixels' type; the last layers and the result are float32.
  virtual at::Tensor forward(const at::Tensor& pixels) = 0;
  virtual int64_t embedding_size() const = 0;
};

// A network with freshly initialised weights, a function of the seed alone. Throws kConfig for an unknown
// depth.
std::shared_ptr<Backbone> make_backbone(const ModelConfig& config, uint64_t seed);

// The same with uninitialised weights, for those who load weights right away.
std::shared_ptr<Backbone> make_uninitialized_backbone(const ModelConfig& config, uint64_t seed);

// Parameters and buffers by state-dict key, in the order of InsightFace's files. The tensors are the module's own.
std::vector<std::pair<std::string, at::Tensor>> named_state(const torch::nn::Module& module);

// All batch norms share their statistics in training; the gathers of a pass come in the network's order.
void synchronize_batch_norms(Backbone& backbone, const GatherRows& gather);

// Elements of all parameters, trained or not.
int64_t num_parameters(const Backbone& backbone);

// uint8 NHWC → (x − 127.5) / 127.5 as NCHW channels-last of the given type, on the images' device; no
// transpose.
at::Tensor normalize_pixels(const at::Tensor& images, at::ScalarType type);

// The type of pixels in which training is fastest on the device, for `precision: auto`.
at::ScalarType fastest_pixel_type(const at::Device& device);

}  // namespace uir
