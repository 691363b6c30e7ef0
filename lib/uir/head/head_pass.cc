#include "uir/head/head_pass.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <span>
#include <utility>
#include <variant>

#include "uir/device/transfer.h"
#include "uir/head/class_sample.h"
#include "uir/head/losses.h"

namespace uir {
namespace {

// Columns of a labeled row: how many ranks own a class with a larger cosine than the target's without and
// with the margin.
enum Beaten : int64_t { kWithoutMargin, kWithMargin, kNumBeaten };
static_assert(int64_t{kNumBeaten} == int64_t{kNumReleasedSums}, "they share the memory of one all-reduce");

ClassTile part_of(const ClassTile& tile, const at::Tensor& products) {
  return {products, tile.inverse_norms_T, tile.first_class, tile.scale};
}

void mark_touched(TouchedRows* touched, const ClassList& classes) {
  if (!touched) return;
  classes.numbers_m.defined() ? touched->add(classes.host_numbers_m) : touched->add_all();
}

}  // namespace

HeadPass::HeadPass(HeadState& head, const at::Tensor& embeddings_BD, const at::Tensor& labels,
                   const HeadStep& step)
    : head_(head),
      shard_(head.shard),
      step_(step),
      rows_(shard_.gather_rows(embeddings_BD, step.num_labeled)),
      targets_(shard_.communicator->all_gather_rows(labels.contiguous())),
      groups_(row_groups()),
      sums_R4_(empty_row_sums(1, rows_.size(), embeddings_BD.device())[0]),
      row_gradients_R4_(zeros({rows_.size(), kNumRowGradients})),
      second_sums_R2_(zeros({rows_.size(), kNumReleasedSums})),
      beaten_L2_(labeled_part(second_sums_R2_)),
      released_U2_(unlabeled_part(second_sums_R2_)),
      numbers_(zeros({kNumLossNumbers})),
      gradient_squares_(zeros({kNumGradientSquares})) {}

HeadLoss HeadPass::run() {
  sum_rows();
  add_labeled_losses();
  if (head_.reduction == UirReduction::kReleased && rows_.unlabeled() > 0) sum_released();
  shard_.communicator->all_reduce_sum(second_sums_R2_);
  count_correct();
  add_unlabeled_losses();
  numbers_[kTotalLoss].copy_(numbers_[kLabeledLoss] + numbers_[kUirLoss] * step_.uir_weight);
  const at::Tensor gradient_BD = backward();
  if (step_.measures_gradients) finish_gradient_squares(gradient_BD);
  return {numbers_, rows_.labeled, rows_.unlabeled(), gradient_BD, gradient_squares_};
}

at::Tensor HeadPass::zeros(at::IntArrayRef sizes) const {
  return at::zeros(sizes, at::TensorOptions(at::kDouble).device(rows_.x_RD.device()));
}

std::vector<HeadPass::RowGroup> HeadPass::row_groups() const {
  if (head_.config.sample_rate == 1) {
    return {{0, rows_.labeled, rows_.unlabeled(), shard_.all_classes(), on_device(targets_)}};
  }
  std::vector<RowGroup> groups;
  if (rows_.labeled > 0) groups.push_back(sampled_group());
  if (rows_.unlabeled() > 0) {
    groups.push_back({rows_.labeled, 0, rows_.unlabeled(), shard_.all_classes(), at::Tensor()});
  }
  return groups;
}

HeadPass::RowGroup HeadPass::sampled_group() const {
  const std::span<const int64_t> labels(targets_.data_ptr<int64_t>(), static_cast<size_t>(rows_.labeled));
  const std::vector<int64_t> sample =
      sample_classes(shard_.range, head_.config.sample_rate, labels, head_.seed, step_.sample_key);
  const std::vector<int64_t> positions = positions_in_sample(shard_.range, sample, labels);
  return {0, rows_.labeled, 0, shard_.sample(sample), on_device(at::tensor(positions, at::kLong))};
}

at::Tensor HeadPass::on_device(const at::Tensor& host) const { return upload(host, rows_.x_RD.device()); }

at::Tensor HeadPass::labeled_part(const at::Tensor& rows) const { return rows.narrow(0, 0, rows_.labeled); }

at::Tensor HeadPass::unlabeled_part(const at::Tensor& rows) const {
  return rows.narrow(0, rows_.labeled, rows_.unlabeled());
}

void HeadPass::sum_rows() {
  for (const RowGroup& group : groups_) {
    const at::Tensor x_RD = group.of(rows_.x_RD);
    const at::Tensor sums_KR4 = empty_row_sums(shard_.num_blocks(group.classes), group.size(), x_RD.device());
    shard_.walk(x_RD, group.classes, CenterShard::Norms::kCompute,
                [&](ClassTile& tile, const at::Tensor&, int64_t, int64_t block) {
                  const at::Tensor sums_R4 = sums_KR4.select(0, block);
                  ClassTile labeled = part_of(tile, group.labeled_part(tile.products_RT));
                  ClassTile unlabeled = part_of(tile, group.unlabeled_part(tile.products_RT));
                  if (group.labeled > 0) add_row_sums(labeled, group.targets, group.labeled_part(sums_R4));
                  if (group.unlabeled > 0)
                    add_row_sums(unlabeled, at::Tensor(), group.unlabeled_part(sums_R4));
                });
    group.of(sums_R4_).copy_(sum_of_blocks(sums_KR4));
  }
  at::Tensor reduced = sums_R4_.narrow(1, 0, kLargestOther).contiguous();
  shard_.communicator->all_reduce_sum(reduced);
  sums_R4_.narrow(1, 0, kLargestOther).copy_(reduced);
}

MarginedCosines HeadPass::margined_cosines(const CombinedMarginConfig& margin) const {
  return apply_margin(margin, step_.margin_factor, labeled_part(sums_R4_).select(1, kTargetCosine));
}

MarginedCosines HeadPass::margined_cosines(const AdaFaceConfig& adaface) const {
  const at::Tensor norms = labeled_part(rows_.norms_R).to(at::kDouble);
  update_statistics(head_.margin_state, adaface.momentum, norms);
  return apply_margin(adaface, step_.margin_factor, head_.margin_state, norms,
                      labeled_part(sums_R4_).select(1, kTargetCosine));
}

void HeadPass::add_labeled_losses() {
  if (rows_.labeled == 0) return;
  const at::Tensor sums = labeled_part(sums_R4_), gradients = labeled_part(row_gradients_R4_);
  const at::Tensor largest_others = sums.select(1, kLargestOther);
  const double factor = step_.gradient_scale * shard_.scale / static_cast<double>(rows_.labeled);
  const MarginedCosines margined =
      std::visit([&](const auto& margin) { return margined_cosines(margin); }, head_.config.margin);
  const LabeledRows rows = labeled_rows(sums.select(1, kSumExp), margined.values * shard_.scale);
  numbers_[kLabeledLoss].copy_(rows.loss.mean());
  gradients.select(1, kFactor).fill_(factor);
  gradients.select(1, kShift).copy_(rows.shift);
  gradients.select(1, kTargetGradient).copy_(rows.off_target * margined.derivatives * -factor);
  beaten_L2_.select(1, kWithoutMargin).copy_(largest_others.gt(sums.select(1, kTargetCosine)));
  beaten_L2_.select(1, kWithMargin).copy_(largest_others.gt(margined.values));
}

void HeadPass::sum_released() {
  const auto classes = static_cast<double>(shard_.num_classes);
  const at::Tensor shifts = (unlabeled_part(sums_R4_).select(1, kSumExp) / classes).log();
  const ClassList& classes_m = groups_.back().classes;  // all, with or without sampling
  const at::Tensor sums_KR2 =
      at::zeros({shard_.num_blocks(classes_m), rows_.unlabeled(), kNumReleasedSums}, shifts.options());
  shard_.walk(unlabeled_part(rows_.x_RD), classes_m, CenterShard::Norms::kKnown,
              [&](ClassTile& tile, const at::Tensor&, int64_t, int64_t block) {
                add_released_sums(tile, shifts, shard_.num_classes, sums_KR2.select(0, block));
              });
  released_U2_.copy_(sums_KR2.sum(0));
}

void HeadPass::count_correct() { numbers_.narrow(0, kCorrect, kNumBeaten).copy_(beaten_L2_.eq(0).sum(0)); }

void HeadPass::add_unlabeled_losses() {
  if (rows_.unlabeled() == 0) return;
  const at::Tensor sums = unlabeled_part(sums_R4_), gradients = unlabeled_part(row_gradients_R4_);
  const auto count = static_cast<double>(rows_.unlabeled());
  const auto classes = static_cast<double>(shard_.num_classes);
  const double factor = step_.gradient_scale * step_.uir_weight * shard_.scale / count;
  const UnlabeledRows rows = unlabeled_rows(
      sums.select(1, kSumExp), sums.select(1, kSumCosine) * (shard_.scale / classes), shard_.num_classes);
  gradients.select(1, kShift).copy_(rows.shift);
  if (head_.reduction == UirReduction::kReleased) {
    const ReleasedRows released = released_rows(released_U2_.select(1, kExcess),
                                                released_U2_.select(1, kCurvature), shard_.num_classes);
    numbers_[kUirLoss].copy_(released.loss.mean());
    gradients.select(1, kFactor).copy_(released.denominator.reciprocal() * factor);
    gradients.select(1, kOffset).copy_(released.offset);
  } else {
    const double terms = head_.reduction == UirReduction::kSum ? classes : 1;
    numbers_[kUirLoss].copy_(rows.loss.mean() * terms);
    gradients.select(1, kFactor).fill_(factor * terms / classes);
  }
}

at::Tensor HeadPass::backward() {
  if (!shard_.centers_nD.grad().defined()) {
    head_.shard.centers_nD.mutable_grad() = at::zeros_like(shard_.centers_nD);
  }
  const at::Tensor gradient_RD = at::zeros_like(rows_.x_RD);
  for (const RowGroup& group : groups_) group.of(gradient_RD).copy_(walk_backward(group));
  return through_normalisation(gradient_RD);
}

at::Tensor HeadPass::walk_backward(const RowGroup& group) {
  const int64_t num_rows = step_.uir_weight == 0 ? group.labeled : group.size();
  const at::Tensor x_RD = group.of(rows_.x_RD).narrow(0, 0, num_rows);
  const at::Tensor row_gradients = group.of(row_gradients_R4_);
  const at::Tensor gradient_KRD =
      at::zeros({shard_.num_blocks(group.classes), group.size(), x_RD.size(1)}, x_RD.options());
  const at::Tensor squares_K2 = zeros({gradient_KRD.size(0), kNumGradientSquares - kCentersLabeled});
  const auto body = [&](ClassTile& tile, const at::Tensor& weights_TD, int64_t begin, int64_t block) {
    const at::Tensor cosine_dots_T = replace_by_gradients(group, tile, row_gradients);
    gradient_KRD.select(0, block).narrow(0, 0, num_rows).addmm_(tile.products_RT, weights_TD);
    accumulate_centers_gradient(group.classes, tile, x_RD, weights_TD, cosine_dots_T, begin);
    if (step_.measures_gradients)
      add_centers_squares(group, tile, x_RD, weights_TD, squares_K2.select(0, block));
  };
  if (num_rows > 0) {
    shard_.walk(x_RD, group.classes, CenterShard::Norms::kKnown, body);
    mark_touched(head_.touched_rows.get(), group.classes);
  }
  gradient_squares_.narrow(0, kCentersLabeled, squares_K2.size(1)).add_(squares_K2.sum(0));
  return gradient_KRD.sum(0);
}

// Returns what replace_by_gradient sums for each class.
at::Tensor HeadPass::replace_by_gradients(const RowGroup& group, const ClassTile& tile,
                                          const at::Tensor& row_gradients) const {
  const at::Tensor cosine_dots_T = at::zeros_like(tile.inverse_norms_T);
  if (group.labeled > 0) {
    ClassTile labeled = part_of(tile, group.labeled_part(tile.products_RT));
    replace_by_gradient(labeled, GradientForm::kSoftmax, group.targets, group.labeled_part(row_gradients),
                        shard_.num_classes, cosine_dots_T);
  }
  if (tile.products_RT.size(0) > group.labeled) {
    const bool released = head_.reduction == UirReduction::kReleased;
    ClassTile unlabeled = part_of(tile, group.unlabeled_part(tile.products_RT));
    replace_by_gradient(unlabeled, released ? GradientForm::kReleased : GradientForm::kCentered, at::Tensor(),
                        group.unlabeled_part(row_gradients), shard_.num_classes, cosine_dots_T);
  }
  return cosine_dots_T;
}

// dW = diag(1/‖w‖) (Gᵀ X̂ − diag(Σ G cos) Ŵ), where the products already hold G/‖w‖.
void HeadPass::accumulate_centers_gradient(const ClassList& classes, const ClassTile& tile,
                                           const at::Tensor& x_RD, const at::Tensor& weights_TD,
                                           const at::Tensor& cosine_dots_T, int64_t begin) {
  at::Tensor whole_nD = shard_.centers_nD.grad();
  at::Tensor numbers_T, gradient_TD;
  if (classes.numbers_m.defined()) {
    numbers_T = classes.numbers_m.narrow(0, begin, weights_TD.size(0));
    gradient_TD = whole_nD.index_select(0, numbers_T);
  } else {
    gradient_TD = whole_nD.narrow(0, begin, weights_TD.size(0));
  }
  gradient_TD.addmm_(tile.products_RT.t(), x_RD);
  const at::Tensor along_T1 = (cosine_dots_T * tile.inverse_norms_T * tile.inverse_norms_T).unsqueeze(1);
  gradient_TD.addcmul_(weights_TD, along_T1, -1);
  if (numbers_T.defined()) whole_nD.index_copy_(0, numbers_T, gradient_TD);
}

// Each loss's part of the tile's gradient as above, by itself: ‖v − (v · ŵ) ŵ‖² = ‖v‖² − (v · ŵ)².
void HeadPass::add_centers_squares(const RowGroup& group, const ClassTile& tile, const at::Tensor& x_RD,
                                   const at::Tensor& weights_TD, const at::Tensor& squares_2) const {
  const auto add = [&](const at::Tensor& gradient_RT, const at::Tensor& rows_RD, int64_t loss) {
    if (rows_RD.size(0) == 0) return;
    const at::Tensor v_TD = gradient_RT.t().mm(rows_RD);
    const at::Tensor along_T = (v_TD * weights_TD).sum(1) * tile.inverse_norms_T;
    squares_2[loss].add_((v_TD * v_TD).sum(at::kDouble) - (along_T * along_T).sum(at::kDouble));
  };
  add(group.labeled_part(tile.products_RT), group.labeled_part(x_RD), 0);
  add(group.unlabeled_part(tile.products_RT), group.unlabeled_part(x_RD), kCentersUir - kCentersLabeled);
}

void HeadPass::finish_gradient_squares(const at::Tensor& gradient_BD) {
  const at::Tensor squares_B = (gradient_BD * gradient_BD).sum(1).to(at::kDouble);
  const int64_t labeled = step_.num_labeled;
  gradient_squares_[kEmbeddingsLabeled].copy_(squares_B.narrow(0, 0, labeled).sum());
  gradient_squares_[kEmbeddingsUir].copy_(squares_B.narrow(0, labeled, squares_B.size(0) - labeled).sum());
  shard_.communicator->all_reduce_sum(gradient_squares_);
  gradient_squares_.div_(step_.gradient_scale * step_.gradient_scale);
}

// dX = (dX̂ − (dX̂ · x̂) x̂)/‖x‖ for the rows of this rank.
at::Tensor HeadPass::through_normalisation(const at::Tensor& gradient_RD) const {
  const at::Tensor along_R1 = (gradient_RD * rows_.x_RD).sum(1, /*keepdim=*/true);
  const at::Tensor projected_RD = (gradient_RD - along_R1 * rows_.x_RD) * rows_.inverse_norms_R.unsqueeze(1);
  return shard_.rows_of_this_rank(projected_RD, step_.num_labeled);
}

}  // namespace uir
