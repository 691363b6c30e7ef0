// What a training plan needs to know of a network, from its config alone: layers, parameters, multiply-adds,
// what backward needs.
//
// The layers are the blueprint's operations with weights (network/blueprint.h), in evaluation order. Shapes
// are those of one image of 112 × 112; batches multiply multiply-adds and kept elements.
// Source of the kept elements: the operators that the live network calls (model/layers.h), which the tests
// compare with what LibTorch allocates.
// Cost: microseconds; nothing is allocated but the list. Threads: pure functions. Free of LibTorch.
// Errors: kConfig for an unknown depth.
#pragma once

#include <cstdint>
#include <vector>

#include "uir/network/blueprint.h"

namespace uir {

struct LayerFacts : Op {
  // Elements of the input (of its thinned-out copy in a narrow strided 1×1 convolution) that this layer keeps
  // for backward. A tensor that two layers keep counts at the first one only. A PReLU is fused into its batch
  // norm on CPUs and keeps nothing there: cost_model.h knows.
  int64_t kept_elements = 0;
};

struct NetworkFacts {
  std::vector<LayerFacts> layers;
  int64_t embedding_size = 0;

  int64_t parameters() const;     // trained or not; without running statistics
  int64_t multiply_adds() const;  // of one image's forward pass
  // Elements of the running statistics of all batch norms.
  int64_t statistics() const;
  // Operations of one image's forward pass as the Lightweight Face Recognition challenge (ICCV 2019) counts
  // them: two per multiply-add of convolutions and linear layers; without a bias one less per output (in a
  // convolution that one is divided by the number of groups as well). Source: common/flops_counter.py of
  // InsightFace, the method that the rules prescribe.
  int64_t challenge_flops() const;
};

NetworkFacts network_facts(const ModelConfig& config);

}  // namespace uir
