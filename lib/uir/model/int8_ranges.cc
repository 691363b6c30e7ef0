#include "uir/model/int8_ranges.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/where.h>

#include <cmath>

namespace uir {
namespace {

// samples [points, n] → [points]
at::Tensor best_ranges(const at::Tensor& samples) {
  constexpr int64_t kTried = 16;
  const at::Tensor largest = samples.abs().amax(1, /*keepdim=*/true).clamp_min(1e-20);
  at::Tensor best = largest, least = at::full_like(largest, INFINITY);
  for (int64_t i = 0; i < kTried; ++i) {
    const at::Tensor range = largest * std::exp2(-static_cast<double>(i) / 4), step = range / 127;
    const at::Tensor rounded = (samples / step).round_().clamp_(-128, 127).mul_(step);
    const at::Tensor error = rounded.sub_(samples).square_().mean(1, /*keepdim=*/true);
    best = at::where(error < least, range, best);
    least = at::minimum(error, least);
  }
  return best.view({-1});
}

}  // namespace

void RangeSamples::add(const std::string& name, const Op& conv, const at::Tensor& x, const ConvEdges& edges) {
  samples_[name].push_back(InferenceConv::sample_inputs(conv, x, edges));
}

Int8Ranges RangeSamples::ranges() const {
  Int8Ranges ranges;
  for (const auto& [name, parts] : samples_) {
    const at::Tensor best = best_ranges(at::cat(parts, 1)).contiguous();
    ranges[name] = {best.data_ptr<float>(), best.data_ptr<float>() + best.numel()};
  }
  return ranges;
}

}  // namespace uir
