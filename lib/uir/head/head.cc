#include "uir/head/head.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/max.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>

#include <limits>
#include <utility>
#include <vector>

#include "uir/base/error.h"
#include "uir/head/losses.h"
#include "uir/head/margins.h"
#include "uir/head/shard.h"
#include "uir/head/tile.h"

// Suffixes of tensors as in shard.h; K blocks of tiles.

namespace uir {
namespace {

// Row sums are float64 sums of exponentials: finite for any number of classes below this scale.
constexpr double kLargestScale = 600;

// What the second, small all-reduce sums, float64 [R, 2]: of a labeled row, how many ranks own a class with a larger
// cosine than the target's without and with the margin; of an unlabeled row, the sums of `released`.
enum Beaten : int64_t { kWithoutMargin, kWithMargin };
static_assert(kNumReleasedSums == 2);

// One call of loss_and_gradients.
class HeadPass {
 public:
  HeadPass(Shard& shard, const at::Tensor& embeddings_BD, const at::Tensor& labels, const HeadStep& step)
      : shard_(shard),
        step_(step),
        rows_(shard.gather_rows(embeddings_BD, step.num_labeled)),
        targets_(shard.communicator->all_gather_rows(labels.contiguous())),
        inverse_norms_n_(shard.empty_inverse_norms_n()),
        row_gradients_R3_(at::zeros({rows_.size(), kNumRowGradients}, at::kDouble)),
        second_sums_R2_(at::zeros({rows_.size(), kNumReleasedSums}, at::kDouble)) {
    loss_.num_labeled = rows_.labeled;
    loss_.num_unlabeled = rows_.unlabeled();
  }

  HeadLoss run() {
    sum_rows();
    compare_with_margin();
    if (shard_.reduction == UirReduction::kReleased) sum_released();
    shard_.communicator->all_reduce_sum(second_sums_R2_);
    count_correct();
    add_unlabeled_losses();
    loss_.total = loss_.labeled + step_.uir_weight * loss_.uir;
    backward();
    return std::move(loss_);
  }

 private:
  at::Tensor labeled_part(const at::Tensor& rows) const { return rows.narrow(0, 0, rows_.labeled); }
  at::Tensor unlabeled_part(const at::Tensor& rows) const {
    return rows.narrow(0, rows_.labeled, rows_.unlabeled());
  }
  static Tile part_of(const Tile& tile, const at::Tensor& products) {
    return {products, tile.inverse_norms_T, tile.first_class, tile.scale};
  }

  void sum_rows();
  void compare_with_margin();
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

void HeadPass::sum_rows() {
  const at::Tensor sums_KR4 = empty_row_sums(shard_.num_blocks(), rows_.size(), rows_.x_RD.device());
  shard_.walk(rows_.x_RD, inverse_norms_n_, Shard::Norms::kCompute,
              [&](Tile& tile, const at::Tensor&, int64_t, int64_t block) {
                const at::Tensor sums_R4 = sums_KR4.select(0, block);
                Tile labeled = part_of(tile, labeled_part(tile.products_RT));
                Tile unlabeled = part_of(tile, unlabeled_part(tile.products_RT));
                if (rows_.labeled > 0) add_row_sums(labeled, targets_, labeled_part(sums_R4));
                if (rows_.unlabeled() > 0) add_row_sums(unlabeled, at::Tensor(), unlabeled_part(sums_R4));
              });
  sums_R4_ = sum_of_blocks(sums_KR4).cpu();
  at::Tensor reduced = sums_R4_.narrow(1, 0, kLargestOther).contiguous();
  shard_.communicator->all_reduce_sum(reduced);
  sums_R4_.narrow(1, 0, kLargestOther).copy_(reduced);
}

std::vector<MarginedCosine> HeadPass::margined_cosines() {
  std::vector<MarginedCosine> result(rows_.labeled);
  const auto sums = sums_R4_.accessor<double, 2>();
  if (const auto* combined = std::get_if<CombinedMarginConfig>(&shard_.config.margin)) {
    for (int64_t r = 0; r < rows_.labeled; ++r) {
      result[r] = apply_margin(*combined, step_.margin_factor, sums[r][kTargetCosine]);
    }
    return result;
  }
  const auto& adaface = std::get<AdaFaceConfig>(shard_.config.margin);
  const at::Tensor norms = labeled_part(rows_.norms_R).to(at::kDouble).cpu();
  const double* values = norms.data_ptr<double>();
  double* state = shard_.margin_state.data_ptr<double>();
  const NormStatistics statistics =
      updated_statistics({state[0], state[1]}, adaface.momentum, {values, values + rows_.labeled});
  state[0] = statistics.mean;
  state[1] = statistics.deviation;
  for (int64_t r = 0; r < rows_.labeled; ++r) {
    result[r] = apply_margin(adaface, step_.margin_factor, statistics, values[r], sums[r][kTargetCosine]);
  }
  return result;
}

void HeadPass::compare_with_margin() {
  const auto sums = sums_R4_.accessor<double, 2>();
  auto gradients = row_gradients_R3_.accessor<double, 2>();
  auto beaten = second_sums_R2_.accessor<double, 2>();
  const double scale = shard_.config.scale;
  const double factor = step_.gradient_scale * scale / static_cast<double>(rows_.labeled);
  const std::vector<MarginedCosine> margined = margined_cosines();
  for (int64_t r = 0; r < rows_.labeled; ++r) {
    const LabeledRow row = labeled_row(sums[r][kSumExp], scale * margined[r].value);
    loss_.labeled += row.loss / static_cast<double>(rows_.labeled);
    gradients[r][kFactor] = factor;
    gradients[r][kShift] = row.shift;
    gradients[r][kThird] = -factor * row.off_target * margined[r].derivative;
    beaten[r][kWithoutMargin] = sums[r][kLargestOther] > sums[r][kTargetCosine];
    beaten[r][kWithMargin] = sums[r][kLargestOther] > margined[r].value;
  }
}

void HeadPass::sum_released() {
  if (rows_.unlabeled() == 0) return;
  const auto classes = static_cast<double>(shard_.num_classes);
  const at::Device device = rows_.x_RD.device();
  const at::Tensor shifts = (unlabeled_part(sums_R4_).select(1, kSumExp) / classes).log().to(device);
  const at::Tensor sums_KR2 =
      at::zeros({shard_.num_blocks(), rows_.unlabeled(), kNumReleasedSums}, shifts.options());
  shard_.walk(unlabeled_part(rows_.x_RD), inverse_norms_n_, Shard::Norms::kKnown,
              [&](Tile& tile, const at::Tensor&, int64_t, int64_t block) {
                add_released_sums(tile, shifts, shard_.num_classes, sums_KR2.select(0, block));
              });
  unlabeled_part(second_sums_R2_).copy_(sums_KR2.sum(0));
}

void HeadPass::count_correct() {
  const at::Tensor unbeaten = labeled_part(second_sums_R2_) == 0;
  loss_.correct = unbeaten.select(1, kWithoutMargin).sum().item<int64_t>();
  loss_.correct_with_margin = unbeaten.select(1, kWithMargin).sum().item<int64_t>();
}

void HeadPass::add_unlabeled_losses() {
  const auto sums = sums_R4_.accessor<double, 2>();
  const auto second = second_sums_R2_.accessor<double, 2>();
  auto gradients = row_gradients_R3_.accessor<double, 2>();
  const auto count = static_cast<double>(rows_.unlabeled());
  const auto classes = static_cast<double>(shard_.num_classes);
  const double scale = shard_.config.scale;
  const double factor = step_.gradient_scale * step_.uir_weight * scale / count;
  for (int64_t r = rows_.labeled; r < rows_.size(); ++r) {
    const UnlabeledRow row =
        unlabeled_row(sums[r][kSumExp], scale * sums[r][kSumCosine] / classes, shard_.num_classes);
    gradients[r][kShift] = row.shift;
    if (shard_.reduction == UirReduction::kReleased) {
      const ReleasedRow released =
          released_row(second[r][kExcess], second[r][kCurvature], shard_.num_classes);
      loss_.uir += released.loss / count;
      gradients[r][kFactor] = factor / released.denominator;
      gradients[r][kThird] = released.offset;
    } else {
      const double terms = shard_.reduction == UirReduction::kSum ? classes : 1;
      loss_.uir += terms * row.loss / count;
      gradients[r][kFactor] = factor * terms / classes;
    }
  }
}

void HeadPass::backward() {
  if (!shard_.centers_nD.grad().defined()) {
    shard_.centers_nD.mutable_grad() = at::zeros_like(shard_.centers_nD);
  }
  const int64_t num_rows = step_.uir_weight == 0 ? rows_.labeled : rows_.size();
  loss_.embeddings_gradient = through_normalisation(walk_backward(num_rows));
}

at::Tensor HeadPass::walk_backward(int64_t num_rows) {
  const at::Tensor x_RD = rows_.x_RD.narrow(0, 0, num_rows);
  const at::Tensor row_gradients = row_gradients_R3_.to(x_RD.device());
  const at::Tensor gradient_KRD =
      at::zeros({shard_.num_blocks(), rows_.size(), x_RD.size(1)}, x_RD.options());
  const auto body = [&](Tile& tile, const at::Tensor& weights_TD, int64_t begin, int64_t block) {
    const at::Tensor cosine_dots_T = replace_by_gradients(tile, row_gradients);
    gradient_KRD.select(0, block).narrow(0, 0, num_rows).addmm_(tile.products_RT, weights_TD);
    accumulate_centers_gradient(tile, x_RD, weights_TD, cosine_dots_T, begin);
  };
  if (num_rows > 0) shard_.walk(x_RD, inverse_norms_n_, Shard::Norms::kKnown, body);
  return gradient_KRD.sum(0);
}

// Returns what replace_by_gradient sums for each class.
at::Tensor HeadPass::replace_by_gradients(const Tile& tile, const at::Tensor& row_gradients) const {
  const at::Tensor cosine_dots_T = at::zeros_like(tile.inverse_norms_T);
  if (rows_.labeled > 0) {
    Tile labeled = part_of(tile, labeled_part(tile.products_RT));
    replace_by_gradient(labeled, GradientForm::kSoftmax, targets_, labeled_part(row_gradients),
                        shard_.num_classes, cosine_dots_T);
  }
  if (tile.products_RT.size(0) > rows_.labeled) {
    const bool released = shard_.reduction == UirReduction::kReleased;
    Tile unlabeled = part_of(tile, unlabeled_part(tile.products_RT));
    replace_by_gradient(unlabeled, released ? GradientForm::kReleased : GradientForm::kCentered, at::Tensor(),
                        unlabeled_part(row_gradients), shard_.num_classes, cosine_dots_T);
  }
  return cosine_dots_T;
}

// dW = diag(1/‖w‖) (Gᵀ X̂ − diag(Σ G cos) Ŵ), where the products already hold G/‖w‖.
void HeadPass::accumulate_centers_gradient(const Tile& tile, const at::Tensor& x_RD,
                                           const at::Tensor& weights_TD, const at::Tensor& cosine_dots_T,
                                           int64_t begin) {
  at::Tensor gradient_TD = shard_.centers_nD.grad().narrow(0, begin, weights_TD.size(0));
  gradient_TD.addmm_(tile.products_RT.t(), x_RD);
  const at::Tensor along_T1 = (cosine_dots_T * tile.inverse_norms_T * tile.inverse_norms_T).unsqueeze(1);
  gradient_TD.addcmul_(weights_TD, along_T1, -1);
}

// dX = (dX̂ − (dX̂ · x̂) x̂)/‖x‖ for the rows of this rank.
at::Tensor HeadPass::through_normalisation(const at::Tensor& gradient_RD) const {
  const at::Tensor along_R1 = (gradient_RD * rows_.x_RD).sum(1, /*keepdim=*/true);
  const at::Tensor projected_RD = (gradient_RD - along_R1 * rows_.x_RD) * rows_.inverse_norms_R.unsqueeze(1);
  return shard_.rows_of_this_rank(projected_RD, step_.num_labeled);
}

void check_labels(const at::Tensor& labels, int64_t num_classes) {
  const at::Tensor on_cpu = labels.cpu().contiguous();
  const int64_t* values = on_cpu.data_ptr<int64_t>();
  for (int64_t row = 0; row < labels.size(0); ++row) {
    if (values[row] < 0 || values[row] >= num_classes) {
      fail(ErrorKind::kData, "row ", row, " of the batch: label ", values[row], " is outside [0, ",
           num_classes, "), the classes of this head; train on the index that the head was made for");
    }
  }
}

void check_embeddings(const at::Tensor& embeddings_BD, const at::Tensor& centers_nD) {
  ensure(embeddings_BD.dim() == 2 && embeddings_BD.size(1) == centers_nD.size(1),
         "embeddings are [B, D] with the class centers' D");
  ensure(embeddings_BD.scalar_type() == centers_nD.scalar_type(),
         "embeddings and class centers have one type");
}

// Columns of a row's best class among some classes, float64 [R, 3].
enum Best : int64_t { kBestClass, kBestCosine, kBestSumExp, kNumBest };

void add_best(Tile& tile, const at::Tensor& best_R3) {
  const at::Tensor sums_R4 = empty_row_sums(1, best_R3.size(0), best_R3.device())[0];
  add_row_sums(tile, at::Tensor(), sums_R4);
  const auto [cosines_R, columns_R] = at::max(tile.products_RT, 1);
  at::Tensor class_R = best_R3.select(1, kBestClass), cosine_R = best_R3.select(1, kBestCosine);
  class_R.copy_(at::where(cosines_R > cosine_R, (columns_R + tile.first_class).to(at::kDouble), class_R));
  cosine_R.copy_(at::maximum(cosine_R, cosines_R.to(at::kDouble)));
  best_R3.select(1, kBestSumExp).add_(sums_R4.select(1, kSumExp));
}

// Blocks [K, R, 3] of classes, in ascending order, joined: the first of equal cosines counts.
at::Tensor best_of_blocks(const at::Tensor& best_KR3) {
  at::Tensor best_R3 = best_KR3[0].clone();
  for (int64_t block = 1; block < best_KR3.size(0); ++block) {
    const at::Tensor better_R1 =
        (best_KR3[block].select(1, kBestCosine) > best_R3.select(1, kBestCosine)).unsqueeze(1);
    best_R3 = at::where(better_R1, best_KR3[block], best_R3);
  }
  best_R3.select(1, kBestSumExp).copy_(best_KR3.select(2, kBestSumExp).sum(0));
  return best_R3;
}

at::Tensor best_of_this_rank(const Shard& shard, const at::Tensor& x_RD) {
  const at::Tensor best_KR3 =
      at::zeros({shard.num_blocks(), x_RD.size(0), kNumBest}, x_RD.options().dtype(at::kDouble));
  best_KR3.select(2, kBestCosine).fill_(-std::numeric_limits<double>::infinity());
  shard.walk(x_RD, shard.empty_inverse_norms_n(), Shard::Norms::kCompute,
             [&](Tile& tile, const at::Tensor&, int64_t, int64_t block) { add_best(tile, best_KR3[block]); });
  return best_of_blocks(best_KR3);
}

}  // namespace

ClassRange class_range(int64_t num_classes, int64_t rank, int64_t num_ranks) {
  const int64_t share = num_classes / num_ranks, rest = num_classes % num_ranks;
  const int64_t begin = rank * share + std::min(rank, rest);
  return {begin, begin + share + (rank < rest ? 1 : 0)};
}

struct Head::Impl {
  Shard shard;
};

Head::Head(const HeadConfig& config, UirReduction reduction, int64_t num_classes, int64_t embedding_size,
           uint64_t seed, std::shared_ptr<const Communicator> communicator, at::Device device) {
  if (config.scale > kLargestScale) {
    fail(ErrorKind::kConfig, "head.scale: ", config.scale, " is above ", kLargestScale,
         ", where e^scale leaves float64; 64 is usual");
  }
  if (num_classes < 1) fail(ErrorKind::kData, "the index has no labeled class; the head needs at least one");
  const ClassRange range = class_range(num_classes, communicator->rank(), communicator->size());
  at::Tensor centers_nD = initial_centers(range, embedding_size, seed).to(device).set_requires_grad(true);
  at::Tensor margin_state;
  if (std::holds_alternative<AdaFaceConfig>(config.margin)) {
    const NormStatistics start;
    margin_state = at::tensor({start.mean, start.deviation}, at::kDouble);
  }
  impl_ = std::make_unique<Impl>(Impl{Shard{config, reduction, num_classes, std::move(communicator), range,
                                            std::move(centers_nD), std::move(margin_state)}});
}

Head::Head(Head&&) noexcept = default;
Head::~Head() = default;

HeadLoss Head::loss_and_gradients(const at::Tensor& embeddings, const at::Tensor& labels,
                                  const HeadStep& step) {
  const at::NoGradGuard no_autograd;
  Shard& shard = impl_->shard;
  check_embeddings(embeddings, shard.centers_nD);
  ensure(labels.dim() == 1 && labels.size(0) == step.num_labeled && labels.scalar_type() == at::kLong,
         "labels are int64 [num_labeled]");
  ensure(step.num_labeled <= embeddings.size(0), "num_labeled is at most the number of rows");
  check_labels(labels, shard.num_classes);
  return HeadPass(shard, embeddings.detach(), labels, step).run();
}

at::Tensor Head::best_classes(const at::Tensor& embeddings) {
  const at::NoGradGuard no_autograd;
  const Shard& shard = impl_->shard;
  check_embeddings(embeddings, shard.centers_nD);
  const Rows rows = shard.gather_rows(embeddings.detach(), 0);
  const at::Tensor best_by_rank = shard.communicator->all_gather_rows(best_of_this_rank(shard, rows.x_RD));
  const at::Tensor best_R3 = best_of_blocks(best_by_rank.view({shard.communicator->size(), -1, kNumBest}));
  const at::Tensor logits_R = best_R3.select(1, kBestCosine) * shard.config.scale;
  best_R3.select(1, kBestSumExp).copy_((logits_R - best_R3.select(1, kBestSumExp).log()).exp());
  return best_R3.narrow(0, shard.communicator->rank() * embeddings.size(0), embeddings.size(0))
      .to(at::kFloat);
}

at::Tensor& Head::centers() { return impl_->shard.centers_nD; }
ClassRange Head::range() const { return impl_->shard.range; }
int64_t Head::num_classes() const { return impl_->shard.num_classes; }
at::Tensor& Head::margin_state() { return impl_->shard.margin_state; }

}  // namespace uir
