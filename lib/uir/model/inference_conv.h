// The convolutions of inference, with what stands before and behind them in the same pass. On processors with
// AVX-512; not differentiable.
//
//   3×3, stride 1         fewer multiplications (winograd_kernels.h)
//   1×1, and 3×3 strided  products of matrices whose results are finished before they leave the registers
//   3×3, depthwise        at the speed of memory
//
// Shapes: x [B, in, H, W] → y [B, out, H', W'], both channels-last, float or bf16.
// Numerics, relative to the exact convolution of the same inputs: float 1e-7, 3×3 2e-6 to 4e-6; bf16 products
// of numbers rounded to bf16 and sums in float, 3×3 up to 1.9 times what direct products lose; int8 (dense
// ones, activations in bf16) exact sums of products of numbers rounded to 8 bits, 1.2e-2, 3×3 2e-2.
// Determinism: a pixel's value depends on its image alone, not on batch or threads.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "uir/network/blueprint.h"

namespace uir {

// EdgePointers (conv_kernels.h): float [channels], residual as y. Undefined: nothing.
struct ConvEdges {
  at::Tensor in_scale{}, in_shift{};
  at::Tensor scale{}, shift{}, slope{};
  at::Tensor residual{};
};

class InferenceConv {
 public:
  // Whether it is one of these convolutions, and one of those that can be computed in int8.
  static bool suits(const Op& conv);
  static bool suits_int8(const Op& conv);
  // Whether this processor has the kernels.
  static bool runs(at::ScalarType type);
  static bool runs_int8();

  // Some of what the products of a convolution of suits_int8 are given, at places of x spread evenly: float
  // [points, values]. points: 16 for 3×3 with stride 1, else 1.
  static at::Tensor sample_inputs(const Op& conv, const at::Tensor& x, const ConvEdges& edges);

  // weight [out, in / groups, kernel, kernel] float; type: of x and y.
  InferenceConv(const Op& conv, const at::Tensor& weight, at::ScalarType type);
  // In int8, x and y in bf16. ranges [points]: the largest magnitudes that products are given; what is larger
  // saturates.
  InferenceConv(const Op& conv, const at::Tensor& weight, const std::vector<float>& ranges);

  at::Tensor operator()(const at::Tensor& x, const ConvEdges& edges) const;
  std::vector<int64_t> sizes_of_result(const at::Tensor& x) const;

 private:
  template <class T, class P>
  at::Tensor run(const at::Tensor& x, const ConvEdges& edges) const;

  const Op conv_;
  const at::ScalarType type_, products_;  // at::kByte: int8
  at::Tensor packed_;
  at::Tensor offsets_, scales_, in_scales_;  // PackedWeights of int8
};

}  // namespace uir
