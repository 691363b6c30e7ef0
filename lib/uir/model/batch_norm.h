// Batch normalisation, PReLU and residual sum as one operation with its own backward pass.
//
//   y = prelu((x − mean) / sqrt(var + epsilon) · weight + bias) + residual
//
// Shapes: x, residual, y [B, C, H, W] or [B, C]; weight, bias, running_mean, running_var, slope [C].
// Types: x float, bf16 or double (float16 on CUDA); parameters float (double beside double x).
// Cost on a CPU: training reads x twice and writes y once; backward reads x and the gradient twice and writes
// once. Only x and three vectors are kept for backward: everything else is recomputed.
// Source: Ioffe and Szegedy, ICML 2015, equations on page 3 and 4; running statistics as LibTorch keeps them
// (unbiased variance, var·n/(n−1)). On other devices than CPUs LibTorch's operators do the work.
// Determinism: same result for the same number of threads.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

namespace uir {

// Rows [1, n] of every rank, in rank order: [ranks, n] float64 on the CPU. How batch norms share statistics
// without knowing who carries them.
using GatherRows = std::function<at::Tensor(const at::Tensor& row)>;

struct BatchNormArgs {
  at::Tensor x{};
  at::Tensor weight{}, bias{};
  at::Tensor running_mean{}, running_var{};  // updated in training
  at::Tensor slope{};                        // of PReLU; undefined: none
  at::Tensor residual{};                     // undefined: none
  bool training = true;                      // batch statistics, else the running ones
  double momentum = 0.1;
  double epsilon = 1e-5;
  // Not empty: in training the batch is that of all ranks (synchronised batch norm). Two gathers of 2·C + 1
  // and 2·C numbers, one in each direction; gradients of weight, bias and slope stay this rank's. CPU
  // kernels only.
  GatherRows gather{};
};

// y, channels-last. Differentiable in x, weight, bias, slope and residual. Throws c10::Error if training with
// a single value per channel.
at::Tensor batch_norm(const BatchNormArgs& args);

}  // namespace uir
