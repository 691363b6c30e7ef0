// The layers both networks are built of: convolution, batch normalisation and PReLU with InsightFace's
// parameter names. Only BatchNorm's call does work of its own: normalisation, activation and residual sum in
// one pass.
//
// Parameters are float32 whatever type the activations have; convolutions cast their weight in every forward.
#pragma once

#include <torch/nn/module.h>

#include <cstdint>

#include "uir/model/batch_norm.h"

namespace uir {

// The last layers' type: float32, or float64 in a float64 network.
inline at::Tensor at_least_float32(const at::Tensor& x) {
  return x.scalar_type() == at::kDouble ? x : x.to(at::kFloat);
}

struct ConvShape {
  int64_t in, out;
  int64_t kernel = 3, stride = 1, padding = 1, groups = 1;
};

// Key: weight [out, in / groups, kernel, kernel]; no bias.
class Conv : public torch::nn::Module {
 public:
  explicit Conv(const ConvShape& shape);
  // x [B, in, H, W] → [B, out, H', W'], both channels-last, of x's type.
  at::Tensor forward(const at::Tensor& x) const;

 private:
  ConvShape shape_;
  at::Tensor weight_;
};

// Key: weight [channels].
class PReLU : public torch::nn::Module {
 public:
  explicit PReLU(int64_t channels);
  const at::Tensor& weight() const { return weight_; }

 private:
  at::Tensor weight_;
};

// Keys: weight, bias, running_mean, running_var [channels], num_batches_tracked.
class BatchNorm : public torch::nn::Module {
 public:
  static constexpr double kEpsilon = 1e-5;
  static constexpr double kMomentum = 0.1;

  explicit BatchNorm(int64_t channels, bool trainable_weight = true);
  // x [B, channels, H, W] or [B, channels] → batch_norm(x), then PReLU if there is one, or plus the residual
  // (of x's shape and type) if there is one. In training the batch's statistics are used and the running ones
  // updated.
  at::Tensor forward(const at::Tensor& x);
  at::Tensor forward(const at::Tensor& x, const PReLU& activation);
  at::Tensor forward(const at::Tensor& x, const at::Tensor& residual);
  // Empty: the batch is this rank's rows (BatchNormArgs::gather).
  void synchronize(const GatherRows& gather) { gather_ = gather; }
  int64_t num_batches_tracked() const { return num_batches_tracked_.item<int64_t>(); }

 private:
  at::Tensor apply(const at::Tensor& x, const at::Tensor& slope, const at::Tensor& residual);

  at::Tensor weight_, bias_, running_mean_, running_var_, num_batches_tracked_;
  GatherRows gather_;
};

// Key: weight [out, in] and bias [out] if there is one.
class Linear : public torch::nn::Module {
 public:
  Linear(int64_t in, int64_t out, bool bias);
  at::Tensor forward(const at::Tensor& x) const;  // float32 [B, in] → [B, out]

 private:
  at::Tensor weight_, bias_;
};

}  // namespace uir
