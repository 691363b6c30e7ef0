// One call of Head::loss_and_gradients: sums over all classes, losses and row gradients from them, backward walk.
//
// Shapes, cost and collectives as in head.h; suffixes of tensors as in shard.h, K blocks of tiles.
// Threads: one pass at a time per shard, whose gradient and margin state it changes.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "uir/head/head.h"
#include "uir/head/margins.h"
#include "uir/head/shard.h"
#include "uir/head/tile.h"

namespace uir {

class HeadPass {
 public:
  // labels int64 [B_l] on the embeddings' device, inside [0, C).
  HeadPass(Shard& shard, const at::Tensor& embeddings_BD, const at::Tensor& labels, const HeadStep& step);
  HeadLoss run();

 private:
  at::Tensor labeled_part(const at::Tensor& rows) const;
  at::Tensor unlabeled_part(const at::Tensor& rows) const;

  void sum_rows();
  void add_labeled_losses();
  std::vector<MarginedCosine> margined_cosines();
  void sum_released();
  void count_correct();
  void add_unlabeled_losses();
  void backward();
  at::Tensor walk_backward(int64_t num_rows);
  at::Tensor replace_by_gradients(const Tile& tile, const at::Tensor& row_gradients) const;
  void accumulate_centers_gradient(const Tile& tile, const at::Tensor& x_RD, const at::Tensor& weights_TD,
                                   const at::Tensor& cosine_dots_T, int64_t begin);
  at::Tensor through_normalisation(const at::Tensor& gradient_RD) const;

  Shard& shard_;
  const HeadStep& step_;
  Rows rows_;
  at::Tensor targets_;
  at::Tensor inverse_norms_n_;
  at::Tensor sums_R4_;  // over all classes, except kLargestOther: of this rank
  at::Tensor row_gradients_R3_, second_sums_R2_;
  HeadLoss loss_;
};

}  // namespace uir
