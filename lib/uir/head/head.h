// The head: class centers, margin softmax over labeled rows and UIR loss over unlabeled rows, class-sharded
// over the ranks and tiled over classes, loss and gradients in one call.
//
// Shapes (legend for head/): B rows of this rank (B_l labeled first, then B_u unlabeled), K ranks, C classes
// of which this rank owns n = C/K (the first C % K ranks one more), D embedding size.
// Cost: 8 B n D operations (10 on unlabeled rows with `released`); memory B * tile besides weight and
// gradient. With class sampling n is the sample's size for the labeled rows; it adds D * tile of memory per
// thread.
// Collectives: one gather of embeddings and labels, one sum all-reduce of row sums, a second, small one of
// counts and of the sums of `released`, one reduce-scatter of embedding gradients. Row sums are float64 sums
// of exponentials, so no maximum is ever agreed upon.
// Source: docs/losses.md with equations; ArcFace (Deng et al., CVPR 2019), UIR (Yu et al., ICCV workshops
// 2019), Partial FC (An et al., CVPR 2022).
// Computes in the embeddings' type; class centers are float32 (tests put float64 tensors in their place).
// Errors: kConfig and kData as the functions say; a lost rank is kRankLost.
// Nothing waits for the device, but for what the communicator does.
// Threads: one thread; uses LibTorch's intra-op threads. No result depends on their number.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>

#include "uir/base/row_range.h"
#include "uir/dist/communicator.h"
#include "uir/head/config.h"
#include "uir/head/touched_rows.h"

namespace uir {

// What HeadLoss::numbers holds:
enum LossNumber : int64_t {
  kLabeledLoss,  // mean over the labeled rows of all ranks
  kUirLoss,      // mean over the unlabeled rows of all ranks, before lambda
  kTotalLoss,    // labeled + lambda * uir
  // Labeled rows whose class has the largest logit, of the sampled classes, without the margin; ties count.
  kCorrect,
  kCorrectWithMargin,  // … although the margin is subtracted
  kNumLossNumbers
};

// What HeadLoss::gradient_squares holds: squared norms of the gradients of the mean labeled loss and of
// lambda times the mean UIR loss, over the rows and the class centers of all ranks.
enum GradientSquare : int64_t {
  kEmbeddingsLabeled,
  kEmbeddingsUir,
  kCentersLabeled,
  kCentersUir,
  kNumGradientSquares
};

struct HeadLoss {
  // float64 [kNumLossNumbers], on the embeddings' device: whoever reads them waits for it.
  at::Tensor numbers;
  int64_t num_labeled = 0, num_unlabeled = 0;  // over all ranks
  at::Tensor embeddings_gradient;              // [B, D], of gradient_scale times the total
  // float64 [kNumGradientSquares], on the embeddings' device, without gradient_scale; 0 where not measured.
  at::Tensor gradient_squares;

  double operator[](LossNumber number) const { return numbers[number].item<double>(); }
};

struct HeadStep {
  int64_t num_labeled = 0;    // B_l; the other rows are unlabeled
  double uir_weight = 0;      // lambda
  double margin_factor = 1;   // margin warm-up, 0 … 1
  double gradient_scale = 1;  // multiplies all gradients: 1/accumulation, times the loss scale
  uint64_t sample_key = 0;    // of class sampling: the optimizer step; the same on every rank
  // Fills gradient_squares: 2 B n D operations and one small all-reduce more; changes no other result.
  bool measures_gradients = false;
};

class Head {
 public:
  // Centers start at N(0, 0.01), a function of the seed and of the class number alone (not of the sharding).
  // kConfig for a scale or sample_rate out of bounds, kData without a class.
  Head(const HeadConfig& config, UirReduction reduction, int64_t num_classes, int64_t embedding_size,
       uint64_t seed, std::shared_ptr<const Communicator> communicator, at::Device device);
  Head(Head&&) noexcept;
  ~Head();

  // embeddings [B, D] of the class centers' type and device, no autograd; labels int64 [B_l] in [0, C), on
  // the CPU. Every rank calls it with the same B, B_l and step, and gets the same losses and counts. Adds
  // the gradient of step.gradient_scale times the total to centers().grad(), moves AdaFace's statistics on,
  // and returns the gradient by this rank's embeddings. kData for a label outside. Embeddings that are not
  // finite make the loss NaN; whoever then undoes the step restores margin_state().
  HeadLoss loss_and_gradients(const at::Tensor& embeddings, const at::Tensor& labels, const HeadStep& step);

  at::Tensor& centers();  // [n, D], requires_grad, unnormalised
  // With class sampling, the rows of the centers' gradient that are not 0; whoever zeroes the gradient clears
  // it.
  // Without: null, all rows.
  std::shared_ptr<TouchedRows> touched_rows() const;
  RowRange range() const;  // of the classes that this rank owns: the rows of centers() among all C
  int64_t num_classes() const;
  // AdaFace's running statistics [2] (mean and deviation of the norms); undefined for other margins.
  at::Tensor& margin_state();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace uir
