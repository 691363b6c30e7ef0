// SGD with momentum and AdamW over named parameters, with the gradient's norm and clipping.
//
// Rules, with g' = factor * g, where replicated and sharded parameters have a factor each:
//   sgd    v = momentum v + g' + decay w;  w -= lr v      (v starts at 0; without Nesterov and dampening)
//   adamw  w -= lr decay w;  m = b1 m + (1 - b1) g';  s = b2 s + (1 - b2) g'^2;
//          w -= lr / (1 - b1^t) * m / (sqrt(s / (1 - b2^t)) + epsilon)
// A parameter without a gradient is left as it is, and so are untouched rows: no decay, their momentum (mean,
// square) kept; t counts the optimizer's steps all the same. Only touched rows are read.
// Cost: one pass over weight, gradient and state in memory, no temporaries; on other devices by LibTorch's
// fused operators (device_update.h), without waiting for the device.
// Source: torch::optim::SGD and AdamW (Loshchilov and Hutter, ICLR 2019), whose results these are to
// rounding.
// Threads: one at a time; uses LibTorch's intra-op threads. Results do not depend on their number.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "uir/checkpoint/tensor_io.h"
#include "uir/head/touched_rows.h"
#include "uir/train/config.h"
#include "uir/train/device_update.h"

namespace uir {

struct Parameter {
  std::string name;
  at::Tensor tensor;     // dense; its gradient is tensor.grad()
  bool decays = true;    // weight decay applies
  bool sharded = false;  // this rank's rows of the class centers; otherwise the same on all ranks
  // Rows whose gradient is not 0, of a contiguous tensor: the others are left as they are, state included.
  // Null: all.
  std::shared_ptr<TouchedRows> touched = nullptr;
};

// Sums of squares of the gradients, float64 scalars on their device: not finite exactly when a (float32)
// gradient is not; on other devices than the CPU also when the sum of a tensor leaves float32. The whole
// gradient's square is replicated + the sum of sharded over the ranks.
struct GradientSquares {
  at::Tensor replicated;
  at::Tensor sharded;  // of this rank
};

// By what the gradients are multiplied in an update: clipping, one over the loss scale. On the gradients'
// device.
struct GradientFactors {
  GradientFactors(double of_replicated = 1, double of_sharded = 1);
  at::Tensor replicated, sharded;  // float64 scalars
  at::Tensor skip;                 // bool scalar: this step changes nothing. Undefined: it does
};

class Optimizer {
 public:
  Optimizer(const OptimizerConfig& config, std::vector<Parameter> parameters);

  GradientSquares gradient_squares() const;
  // One update. Elsewhere than on the CPU the gradients are overwritten.
  void step(double learning_rate, const GradientFactors& factors = {});
  void zero_gradients();  // in place, so that their memory is kept; clears the touched rows

  // State by name: "momentum/<parameter>", or "mean/…", "square/…" and "step" (one integer). The tensors are
  // the optimizer's own, not copies. sharded: those of sharded parameters; they have the parameter's shape.
  NamedTensors state(bool sharded) const;
  // kData if a name is missing or unknown, or a shape differs.
  void load_state(const NamedTensors& replicated, const NamedTensors& sharded);

 private:
  struct Slot {
    Parameter parameter;
    std::vector<at::Tensor> state;  // as many as the rule has names for, laid out like the parameter
  };
  void step_on_cpu(double learning_rate, const GradientFactors& factors);
  void step_on_device(double learning_rate, const GradientFactors& factors);
  void update_rows(const Slot& slot, const at::Tensor& rows,
                   const std::function<void(const UpdateLists&)>& update) const;

  OptimizerConfig config_;
  at::Device device_ = at::kCPU;  // of all parameters
  std::vector<Slot> slots_;
  at::Tensor step_count_;  // int64 scalar, the t of AdamW
};

// Factor that brings a gradient of that norm (float64 scalar) to at most clip_norm (0: no clipping), as
// torch's clip_grad_norm_.
at::Tensor clip_factor(const at::Tensor& norm, double clip_norm);

// The factors of an update, loss scale aside, from the squares of the whole gradient: sharded is here the sum
// over all ranks.
GradientFactors clip_factors(const OptimizerConfig& config, const GradientSquares& squares);

}  // namespace uir
