#include "uir/head/head_pass.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <span>
#include <utility>
#include <variant>

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
  classes.numbers_m.defined() ? touched->add(classes.numbers_m) : touched->add_all();
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
      sums_R4_(empty_row_sums(1, rows_.size(), at::kCPU)[0]),
      row_gradients_R4_(at::zeros({rows_.size(), kNumRowGradients}, at::kDouble)),
      second_sums_R2_(at::zeros({rows_.size(), kNumReleasedSums}, at::kDouble)),
      beaten_L2_(labeled_part(second_sums_R2_)),
      released_U2_(unlabeled_part(second_sums_R2_)) {
  loss_.num_labeled = rows_.labeled;
  loss_.num_unlabeled = rows_.unlabeled();
}

HeadLoss HeadPass::run() {
  sum_rows();
  add_labeled_losses();
  if (head_.reduction == UirReduction::kReleased && rows_.unlabeled() > 0) sum_released();
  shard_.communicator->all_reduce_sum(second_sums_R2_);
  count_correct();
  add_unlabeled_losses();
  loss_.total = loss_.labeled + step_.uir_weight * loss_.uir;
  backward();
  return std::move(loss_);
}

std::vector<HeadPass::RowGroup> HeadPass::row_groups() const {
  if (head_.config.sample_rate == 1) {
    return {{0, rows_.labeled, rows_.unlabeled(), shard_.all_classes(), targets_}};
  }
  std::vector<RowGroup> groups;
  if (rows_.labeled > 0) groups.push_back(sampled_group());
  if (rows_.unlabeled() > 0) {
    groups.push_back({rows_.labeled, 0, rows_.unlabeled(), shard_.all_classes(), at::Tensor()});
  }
  return groups;
}

HeadPass::RowGroup HeadPass::sampled_group() const {
  const at::Tensor on_cpu = targets_.cpu();
  const std::span<const int64_t> labels(on_cpu.data_ptr<int64_t>(), static_cast<size_t>(rows_.labeled));
  const std::vector<int64_t> sample =
      sample_classes(shard_.range, head_.config.sample_rate, labels, head_.seed, step_.sample_key);
  const std::vector<int64_t> positions = positions_in_sample(shard_.range, sample, labels);
  return {0, rows_.labeled, 0, shard_.sample(sample), at::tensor(positions, at::kLong).to(targets_.device())};
}

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

std::vector<MarginedCosine> HeadPass::margined_cosines(const CombinedMarginConfig& margin) {
  std::vector<MarginedCosine> result(rows_.labeled);
  const auto sums = sums_R4_.accessor<double, 2>();
  for (int64_t r = 0; r < rows_.labeled; ++r) {
    result[r] = apply_margin(margin, step_.margin_factor, sums[r][kTargetCosine]);
  }
  return result;
}

std::vector<MarginedCosine> HeadPass::margined_cosines(const AdaFaceConfig& adaface) {
  std::vector<MarginedCosine> result(rows_.labeled);
  const auto sums = sums_R4_.accessor<double, 2>();
  const at::Tensor norms = labeled_part(rows_.norms_R).to(at::kDouble).cpu();
  const double* values = norms.data_ptr<double>();
  double* state = head_.margin_state.data_ptr<double>();
  const NormStatistics statistics =
      updated_statistics({state[0], state[1]}, adaface.momentum, {values, values + rows_.labeled});
  state[0] = statistics.mean;
  state[1] = statistics.deviation;
  for (int64_t r = 0; r < rows_.labeled; ++r) {
    result[r] = apply_margin(adaface, step_.margin_factor, statistics, values[r], sums[r][kTargetCosine]);
  }
  return result;
}

void HeadPass::add_labeled_losses() {
  const auto sums = sums_R4_.accessor<double, 2>();
  auto gradients = row_gradients_R4_.accessor<double, 2>();
  auto beaten = beaten_L2_.accessor<double, 2>();
  const double scale = shard_.scale;
  const double factor = step_.gradient_scale * scale / static_cast<double>(rows_.labeled);
  const std::vector<MarginedCosine> margined =
      std::visit([&](const auto& margin) { return margined_cosines(margin); }, head_.config.margin);
  for (int64_t r = 0; r < rows_.labeled; ++r) {
    const LabeledRow row = labeled_row(sums[r][kSumExp], scale * margined[r].value);
    loss_.labeled += row.loss / static_cast<double>(rows_.labeled);
    gradients[r][kFactor] = factor;
    gradients[r][kShift] = row.shift;
    gradients[r][kTargetGradient] = -factor * row.off_target * margined[r].derivative;
    beaten[r][kWithoutMargin] = sums[r][kLargestOther] > sums[r][kTargetCosine];
    beaten[r][kWithMargin] = sums[r][kLargestOther] > margined[r].value;
  }
}

void HeadPass::sum_released() {
  const auto classes = static_cast<double>(shard_.num_classes);
  const at::Device device = rows_.x_RD.device();
  const at::Tensor shifts = (unlabeled_part(sums_R4_).select(1, kSumExp) / classes).log().to(device);
  const ClassList& classes_m = groups_.back().classes;  // all, with or without sampling
  const at::Tensor sums_KR2 =
      at::zeros({shard_.num_blocks(classes_m), rows_.unlabeled(), kNumReleasedSums}, shifts.options());
  shard_.walk(unlabeled_part(rows_.x_RD), classes_m, CenterShard::Norms::kKnown,
              [&](ClassTile& tile, const at::Tensor&, int64_t, int64_t block) {
                add_released_sums(tile, shifts, shard_.num_classes, sums_KR2.select(0, block));
              });
  released_U2_.copy_(sums_KR2.sum(0));
}

void HeadPass::count_correct() {
  const at::Tensor unbeaten = beaten_L2_ == 0;
  loss_.correct = unbeaten.select(1, kWithoutMargin).sum().item<int64_t>();
  loss_.correct_with_margin = unbeaten.select(1, kWithMargin).sum().item<int64_t>();
}

void HeadPass::add_unlabeled_losses() {
  const auto sums = sums_R4_.accessor<double, 2>();
  const auto released_sums = released_U2_.accessor<double, 2>();
  auto gradients = row_gradients_R4_.accessor<double, 2>();
  const auto count = static_cast<double>(rows_.unlabeled());
  const auto classes = static_cast<double>(shard_.num_classes);
  const double scale = shard_.scale;
  const double factor = step_.gradient_scale * step_.uir_weight * scale / count;
  for (int64_t r = rows_.labeled; r < rows_.size(); ++r) {
    const UnlabeledRow row =
        unlabeled_row(sums[r][kSumExp], scale * sums[r][kSumCosine] / classes, shard_.num_classes);
    gradients[r][kShift] = row.shift;
    if (head_.reduction == UirReduction::kReleased) {
      const auto of_row = released_sums[r - rows_.labeled];
      const ReleasedRow released = released_row(of_row[kExcess], of_row[kCurvature], shard_.num_classes);
      loss_.uir += released.loss / count;
      gradients[r][kFactor] = factor / released.denominator;
      gradients[r][kOffset] = released.offset;
    } else {
      const double terms = head_.reduction == UirReduction::kSum ? classes : 1;
      loss_.uir += terms * row.loss / count;
      gradients[r][kFactor] = factor * terms / classes;
    }
  }
}

void HeadPass::backward() {
  if (!shard_.centers_nD.grad().defined()) {
    head_.shard.centers_nD.mutable_grad() = at::zeros_like(shard_.centers_nD);
  }
  const at::Tensor gradient_RD = at::zeros_like(rows_.x_RD);
  for (const RowGroup& group : groups_) group.of(gradient_RD).copy_(walk_backward(group));
  loss_.embeddings_gradient = through_normalisation(gradient_RD);
}

at::Tensor HeadPass::walk_backward(const RowGroup& group) {
  const int64_t num_rows = step_.uir_weight == 0 ? group.labeled : group.size();
  const at::Tensor x_RD = group.of(rows_.x_RD).narrow(0, 0, num_rows);
  const at::Tensor row_gradients = group.of(row_gradients_R4_).to(x_RD.device());
  const at::Tensor gradient_KRD =
      at::zeros({shard_.num_blocks(group.classes), group.size(), x_RD.size(1)}, x_RD.options());
  const auto body = [&](ClassTile& tile, const at::Tensor& weights_TD, int64_t begin, int64_t block) {
    const at::Tensor cosine_dots_T = replace_by_gradients(group, tile, row_gradients);
    gradient_KRD.select(0, block).narrow(0, 0, num_rows).addmm_(tile.products_RT, weights_TD);
    accumulate_centers_gradient(group.classes, tile, x_RD, weights_TD, cosine_dots_T, begin);
  };
  if (num_rows > 0) {
    shard_.walk(x_RD, group.classes, CenterShard::Norms::kKnown, body);
    mark_touched(head_.touched_rows.get(), group.classes);
  }
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

// dX = (dX̂ − (dX̂ · x̂) x̂)/‖x‖ for the rows of this rank.
at::Tensor HeadPass::through_normalisation(const at::Tensor& gradient_RD) const {
  const at::Tensor along_R1 = (gradient_RD * rows_.x_RD).sum(1, /*keepdim=*/true);
  const at::Tensor projected_RD = (gradient_RD - along_R1 * rows_.x_RD) * rows_.inverse_norms_R.unsqueeze(1);
  return shard_.rows_of_this_rank(projected_RD, step_.num_labeled);
}

}  // namespace uir
