// The layers that networks are built of, one per kind of operation in network/blueprint.h, with its keys.
// Only BatchNorm's call does work of its own: normalisation, activation and residual sum in one pass.
//
// Parameters are float32 whatever type the activations have; convolutions cast their weight in every forward.
// Those of Conv and Linear are uninitialised memory after construction.
#pragma once

#include <torch/nn/module.h>

#include <cstdint>

#include "uir/model/batch_norm.h"
#include "uir/network/blueprint.h"

namespace uir {

// Without a bias.
class Conv : public torch::nn::Module {
 public:
  explicit Conv(const Op& op);
  // x [B, in, H, W] → [B, out, H', W'], both channels-last, of x's type.
  at::Tensor forward(const at::Tensor& x) const;
  const at::Tensor& weight() const { return weight_; }

 private:
  Op op_;
  at::Tensor weight_;
};

class PReLU : public torch::nn::Module {
 public:
  explicit PReLU(const Op& op);
  const at::Tensor& weight() const { return weight_; }

 private:
  at::Tensor weight_;
};

class BatchNorm : public torch::nn::Module {
 public:
  explicit BatchNorm(const Op& op);
  // x [B, channels, H, W] or [B, channels] → batch_norm(x), then PReLU if there is one, or plus the residual
  // (of x's shape and type) if there is one. In training the batch's statistics are used and the running ones
  // updated; batches are counted by count_batch, since the counter is the host's.
  at::Tensor forward(const at::Tensor& x);
  at::Tensor forward(const at::Tensor& x, const PReLU& activation);
  at::Tensor forward(const at::Tensor& x, const at::Tensor& residual);
  // What it is in evaluation: x · scale + shift, float32 [channels].
  struct Affine {
    at::Tensor scale, shift;
  };
  Affine affine() const;
  // Empty: the batch is this rank's rows (BatchNormArgs::gather).
  void synchronize(const GatherRows& gather) { gather_ = gather; }
  // The counter stays on the CPU, where reading it waits for nothing.
  using torch::nn::Module::to;
  void to(at::Device device, bool non_blocking = false) override;
  void count_batch() { num_batches_tracked_.add_(1); }
  int64_t num_batches_tracked() const { return num_batches_tracked_.item<int64_t>(); }

 private:
  at::Tensor apply(const at::Tensor& x, const at::Tensor& slope, const at::Tensor& residual);

  at::Tensor weight_, bias_, running_mean_, running_var_, num_batches_tracked_;
  GatherRows gather_;
};

class Linear : public torch::nn::Module {
 public:
  explicit Linear(const Op& op);
  at::Tensor forward(const at::Tensor& x) const;  // float32 [B, in] → [B, out]
  const at::Tensor& weight() const { return weight_; }

 private:
  at::Tensor weight_, bias_;
};

}  // namespace uir
