#include "uir/head/best_classes.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/max.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>

#include <limits>

namespace uir {
namespace {

// Columns of a row's best class among some classes, float64 [R, 3]. The others are kept apart from the best:
// where its probability is nearly 1, their sum is lost beside it.
enum Best : int64_t { kBestClass, kBestCosine, kOthersSumExp, kNumBest };

at::Tensor column(const at::Tensor& best_R3, Best which) { return best_R3.select(1, which); }

// Joins the best of other, higher classes to best_R3: the first of equal cosines counts, and the one that is
// not best any more is one of the others.
void add_best(const at::Tensor& other_R3, double scale, const at::Tensor& best_R3) {
  const at::Tensor other_R = column(other_R3, kBestCosine), best_R = column(best_R3, kBestCosine);
  const at::Tensor beaten_R = (at::minimum(other_R, best_R) * scale).exp();
  column(best_R3, kOthersSumExp).add_(column(other_R3, kOthersSumExp)).add_(beaten_R);
  const at::Tensor better_R = other_R > best_R;
  for (const Best which : {kBestClass, kBestCosine}) {
    const at::Tensor of_best_R = column(best_R3, which);
    of_best_R.copy_(at::where(better_R, column(other_R3, which), of_best_R));
  }
}

// Of the classes of one tile.
at::Tensor best_of_tile(ClassTile& tile) {
  const auto [cosines_R, columns_R] = at::max(tile.products_RT * tile.inverse_norms_T, 1);
  const at::Tensor classes_R = columns_R + tile.first_class;
  const at::Tensor sums_R4 = empty_row_sums(1, classes_R.size(0), classes_R.device())[0];
  add_row_sums(tile, classes_R, sums_R4);
  return at::stack({classes_R.to(at::kDouble), cosines_R.to(at::kDouble), sums_R4.select(1, kSumExp)}, 1);
}

// Blocks [K, R, 3] of classes, in ascending order, joined.
at::Tensor best_of_blocks(const at::Tensor& best_KR3, double scale) {
  at::Tensor best_R3 = best_KR3[0].clone();
  for (int64_t block = 1; block < best_KR3.size(0); ++block) add_best(best_KR3[block], scale, best_R3);
  return best_R3;
}

// A single class has no others, and no finite odds.
at::Tensor log_odds(const at::Tensor& best_R3, double scale) {
  const at::Tensor odds_R = column(best_R3, kBestCosine) * scale - column(best_R3, kOthersSumExp).log();
  return odds_R.clamp_max(std::numeric_limits<float>::max());
}

at::Tensor best_of_this_rank(const CenterShard& centers, const at::Tensor& x_RD) {
  const ClassList classes = centers.all_classes();
  const at::Tensor best_KR3 =
      at::zeros({centers.num_blocks(classes), x_RD.size(0), kNumBest}, x_RD.options().dtype(at::kDouble));
  best_KR3.select(2, kBestCosine).fill_(-std::numeric_limits<double>::infinity());
  centers.walk(x_RD, classes, CenterShard::Norms::kCompute,
               [&](ClassTile& tile, const at::Tensor&, int64_t, int64_t block) {
                 add_best(best_of_tile(tile), centers.scale, best_KR3[block]);
               });
  return best_of_blocks(best_KR3, centers.scale);
}

}  // namespace

at::Tensor best_classes(const CenterShard& centers, const at::Tensor& embeddings_BD) {
  const at::NoGradGuard no_autograd;
  centers.check_embeddings(embeddings_BD);
  const Communicator& ranks = *centers.communicator;
  const GatheredRows rows = centers.gather_rows(embeddings_BD.detach(), 0);
  const at::Tensor best_by_rank = ranks.all_gather_rows(best_of_this_rank(centers, rows.x_RD));
  const at::Tensor best_R3 = best_of_blocks(best_by_rank.view({ranks.size(), -1, kNumBest}), centers.scale);
  const at::Tensor log_odds_R = log_odds(best_R3, centers.scale);
  return at::stack(
             {column(best_R3, kBestClass), column(best_R3, kBestCosine), log_odds_R.sigmoid(), log_odds_R}, 1)
      .narrow(0, ranks.rank() * embeddings_BD.size(0), embeddings_BD.size(0))
      .to(at::kFloat);
}

}  // namespace uir
