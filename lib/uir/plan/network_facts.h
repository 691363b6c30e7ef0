// What a network is made of, from its config alone: layers, parameters, multiply-adds, what backward needs.
//
// Shapes: those of one image of 112 × 112; batches multiply multiply-adds and kept elements. Layers stand in the order
// of the forward pass. Names are those of the state dict.
// Cost: microseconds; nothing is allocated but the list. Free of LibTorch.
// Source: model/iresnet.cc and model/mobilefacenet.cc, whose modules the tests compare layer by layer.
// Errors: kConfig for an unknown depth.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "uir/experiment/experiment.h"

namespace uir {

enum class LayerKind { kConv, kBatchNorm, kPReLU, kLinear };

struct LayerFacts {
  std::string name;  // layer1.0.conv1
  LayerKind kind = LayerKind::kConv;
  int64_t in_channels = 0, out_channels = 0;
  int64_t in_size = 1, out_size = 1;  // height and width
  int64_t kernel = 1, stride = 1, groups = 1;
  bool bias = false;
  bool always_float32 = false;  // whatever the precision of training
  int64_t parameters = 0;
  int64_t multiply_adds = 0;  // of convolutions and linear layers
  // Elements of the input (of its thinned-out copy in a narrow strided 1×1 convolution) that this layer keeps for
  // backward. A tensor that two layers keep counts at the first one only. A PReLU is fused into its batch norm on CPUs
  // and keeps nothing there: cost_model.h knows.
  int64_t kept_elements = 0;

  int64_t in_elements() const { return in_channels * in_size * in_size; }
  int64_t out_elements() const { return out_channels * out_size * out_size; }
};

struct NetworkFacts {
  std::vector<LayerFacts> layers;
  int64_t embedding_size = 0;

  int64_t parameters() const;     // trained or not; without running statistics
  int64_t multiply_adds() const;  // of one image's forward pass
  // Elements of the running statistics of all batch norms.
  int64_t statistics() const;
  // Operations of one image's forward pass as the Lightweight Face Recognition challenge (ICCV 2019) counts them: two
  // per multiply-add of convolutions and linear layers; without a bias one less per output (in a convolution that one
  // is divided by the number of groups as well). Source: common/flops_counter.py of InsightFace, the method that the
  // rules prescribe.
  int64_t challenge_flops() const;
};

NetworkFacts network_facts(const ModelConfig& config);

}  // namespace uir
