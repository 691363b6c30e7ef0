// The passes of pair_conv.h over channels-last images, for one thread. Free of LibTorch.
//
// The layer is two depthwise convolutions: with c' the other channel of c's pair,
//   y[c] = Σ over taps of own[tap][c] · x[c] + other[tap][c] · x[c'].
#pragma once

#include <cstdint>

#include "uir/model/lanes.h"

namespace uir {

struct ImageShape {
  int64_t images, height, width, channels;
};

inline constexpr int64_t kTaps = 9;
inline constexpr int64_t kChunk = kLanes<float>;  // channels that are worked on at a time

// Weights of one chunk of channels. `from_own` multiplies a channel's input for its own output, `to_other`
// for the output of its pair.
struct alignas(64) PairWeights {
  float from_own[kTaps][kChunk];
  float to_other[kTaps][kChunk];
};

// y = convolution of x; weights: one element per chunk, ⌈channels / kChunk⌉, zero beyond the last channel.
void pair_convolve(const ImageShape& shape, const float* x, const PairWeights* weights, float* y);
void pair_convolve(const ImageShape& shape, const Bf16* x, const PairWeights* weights, Bf16* y);

// Adds the gradient in the weights, [chunk][from_own, to_other][tap][lane] as PairWeights, in double.
void pair_weight_gradient(const ImageShape& shape, const float* x, const float* dy, double* gradient);
void pair_weight_gradient(const ImageShape& shape, const Bf16* x, const Bf16* dy, double* gradient);

}  // namespace uir
