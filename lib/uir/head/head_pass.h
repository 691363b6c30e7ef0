// One call of Head::loss_and_gradients: sums over all classes, losses and row gradients from them, backward
// walk.
//
// Nothing here waits for the device. Shapes, cost and collectives as in head.h; suffixes of tensors as in
// center_shard.h, K blocks of tiles.
// Threads: one pass at a time per head, whose gradient and margin state it changes.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "uir/head/center_shard.h"
#include "uir/head/class_tile.h"
#include "uir/head/config.h"
#include "uir/head/head.h"
#include "uir/head/margins.h"
#include "uir/head/touched_rows.h"

namespace uir {

// What a Head is made of.
struct HeadState {
  CenterShard shard;
  HeadConfig config;
  UirReduction reduction;
  uint64_t seed;
  at::Tensor margin_state;                    // undefined but for AdaFace
  std::shared_ptr<TouchedRows> touched_rows;  // null without class sampling
};

class HeadPass {
 public:
  // labels int64 [B_l] on the CPU, inside [0, C).
  HeadPass(HeadState& head, const at::Tensor& embeddings_BD, const at::Tensor& labels, const HeadStep& step);
  HeadLoss run();

 private:
  // Rows that meet the same classes in one walk: all of them, or with class sampling the labeled ones on the
  // sample and the unlabeled ones on all classes.
  struct RowGroup {
    int64_t first_row, labeled, unlabeled;
    ClassList classes;
    at::Tensor targets;  // of the labeled rows, as the classes are counted
    int64_t size() const { return labeled + unlabeled; }
    at::Tensor of(const at::Tensor& rows) const { return rows.narrow(0, first_row, size()); }
    // Of the group's rows, which the tensor has:
    at::Tensor labeled_part(const at::Tensor& rows) const { return rows.narrow(0, 0, labeled); }
    at::Tensor unlabeled_part(const at::Tensor& rows) const {
      return rows.narrow(0, labeled, rows.size(0) - labeled);
    }
  };
  std::vector<RowGroup> row_groups() const;
  RowGroup sampled_group() const;

  at::Tensor labeled_part(const at::Tensor& rows) const;
  at::Tensor unlabeled_part(const at::Tensor& rows) const;
  at::Tensor zeros(at::IntArrayRef sizes) const;  // float64, where the embeddings are
  at::Tensor on_device(const at::Tensor& host) const;

  void sum_rows();
  void add_labeled_losses();
  // Of the labeled rows; one for each kind of margin.
  MarginedCosines margined_cosines(const CombinedMarginConfig& margin) const;
  MarginedCosines margined_cosines(const AdaFaceConfig& adaface) const;
  void sum_released();
  void count_correct();
  void add_unlabeled_losses();
  at::Tensor backward();  // returns the embeddings' gradient
  at::Tensor walk_backward(const RowGroup& group);
  at::Tensor replace_by_gradients(const RowGroup& group, const ClassTile& tile,
                                  const at::Tensor& row_gradients) const;
  void accumulate_centers_gradient(const ClassList& classes, const ClassTile& tile, const at::Tensor& x_RD,
                                   const at::Tensor& weights_TD, const at::Tensor& cosine_dots_T,
                                   int64_t begin);
  void add_centers_squares(const RowGroup& group, const ClassTile& tile, const at::Tensor& x_RD,
                           const at::Tensor& weights_TD, const at::Tensor& squares_2) const;
  void finish_gradient_squares(const at::Tensor& gradient_BD);
  at::Tensor through_normalisation(const at::Tensor& gradient_RD) const;

  HeadState& head_;
  const CenterShard& shard_;
  const HeadStep& step_;
  GatheredRows rows_;
  at::Tensor targets_;  // labels of all ranks, on the CPU
  std::vector<RowGroup> groups_;
  at::Tensor sums_R4_;  // over all classes that a row meets, except kLargestOther: of this rank
  at::Tensor row_gradients_R4_;
  // What one small all-reduce sums, in one piece of memory, float64 [R, 2]: of a labeled row, how many ranks
  // own a class that beats its target; of an unlabeled row, the sums of `released`.
  at::Tensor second_sums_R2_;
  at::Tensor beaten_L2_, released_U2_;  // its labeled and its unlabeled rows
  at::Tensor numbers_;                  // HeadLoss::numbers
  at::Tensor gradient_squares_;         // HeadLoss::gradient_squares
};

}  // namespace uir
