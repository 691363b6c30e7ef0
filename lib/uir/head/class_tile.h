// The element-wise work on one tile of classes: what it adds to the rows' sums, and its gradient, in place.
//
// Shapes (suffixes): R rows, T classes of the tile. Embeddings are normalised beforehand, class centers are
// not: their inverse norms enter here, which saves a normalised copy.
// Cost: forward two passes over [R, T] in the cache, backward one. CPU tensors run own kernels, those of
// other devices LibTorch's operators, 25 to 45 a call, in the tile's type, without waiting for the device.
// Errors: none. Threads: one per call, no shared state.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace uir {

struct ClassTile {
  at::Tensor products_RT;      // x̂ · w; each function overwrites it
  at::Tensor inverse_norms_T;  // 1/‖w‖
  int64_t first_class = 0;     // of the tile
  double scale = 64;           // s
};

// Columns of the rows' sums, float64 [R, 4]; K blocks of them before anything is added, and their sum over
// the blocks. "Others" are all classes but the target; of an unlabeled row, all.
enum RowSum : int64_t { kSumExp, kSumCosine, kTargetCosine, kLargestOther, kNumRowSums };
at::Tensor empty_row_sums(int64_t blocks, int64_t rows, const at::Device& device);
at::Tensor sum_of_blocks(const at::Tensor& sums_KR4);

// Adds this tile's classes: Σ exp z and Σ cos of the others, the target's cosine, the largest cosine of the
// others. targets_R: int64 class numbers, or undefined for unlabeled rows. Leaves the cosines in products_RT.
//
// Sums of exponentials are float64 of any size: each row of a tile is summed relative to its own largest
// logit, or, when its logits lie close together, relative to their mean as Σ expm1, which keeps the digits
// that the UIR loss needs near its optimum. So no maximum has to be agreed upon between tiles or ranks.
void add_row_sums(ClassTile& tile, const at::Tensor& targets_R, const at::Tensor& sums_R4);

// Columns of the second pass for `released`, float64 [R, 2]: Σ (e^q − 1 − q) and Σ q (e^q − 1), see losses.h.
enum ReleasedSum : int64_t { kExcess, kCurvature, kNumReleasedSums };
void add_released_sums(ClassTile& tile, const at::Tensor& shifts_R, int64_t num_classes,
                       const at::Tensor& sums_R2);

// How a row's gradient by its cosines follows from them, float64 [R, 4]; columns that a form does not name
// are not read. With z = s cos, targets_R as above:
//   softmax   factor exp(z − shift) for the others, the target gradient at the target
//   centered  factor expm1(z − shift)
//   released  factor (q + 1/C) (expm1(q) − offset), q = expm1(z − shift)/C
enum RowGradient : int64_t { kFactor, kShift, kTargetGradient, kOffset, kNumRowGradients };
enum class GradientForm { kSoftmax, kCentered, kReleased };

// Replaces products_RT by gradient · inverse norm, the left factor of both products of the backward pass, and
// adds Σ_rows gradient · cosine to cosine_dots_T, what the projection through the centers' normalisation
// needs.
void replace_by_gradient(ClassTile& tile, GradientForm form, const at::Tensor& targets_R,
                         const at::Tensor& rows_R4, int64_t num_classes, const at::Tensor& cosine_dots_T);

// The same with LibTorch's operators, for other devices; with float64 tensors the kernels' oracle. In float32
// a sum of exponentials carries its logits' rounding: a UIR loss below some 1e-6 is lost in it, of which the
// kernels keep the digits.
namespace generic {
void add_row_sums(ClassTile& tile, const at::Tensor& targets_R, const at::Tensor& sums_R4);
void add_released_sums(ClassTile& tile, const at::Tensor& shifts_R, int64_t num_classes,
                       const at::Tensor& sums_R2);
void replace_by_gradient(ClassTile& tile, GradientForm form, const at::Tensor& targets_R,
                         const at::Tensor& rows_R4, int64_t num_classes, const at::Tensor& cosine_dots_T);
}  // namespace generic

}  // namespace uir
