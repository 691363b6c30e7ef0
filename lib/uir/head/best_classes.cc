#include "uir/head/best_classes.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/max.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>

#include <limits>

namespace uir {
namespace {

// Columns of a row's best class among some classes, float64 [R, 3].
enum Best : int64_t { kBestClass, kBestCosine, kBestSumExp, kNumBest };

void add_best(ClassTile& tile, const at::Tensor& best_R3) {
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

at::Tensor best_of_this_rank(const CenterShard& centers, const at::Tensor& x_RD) {
  const ClassList classes = centers.all_classes();
  const at::Tensor best_KR3 =
      at::zeros({centers.num_blocks(classes), x_RD.size(0), kNumBest}, x_RD.options().dtype(at::kDouble));
  best_KR3.select(2, kBestCosine).fill_(-std::numeric_limits<double>::infinity());
  centers.walk(
      x_RD, classes, CenterShard::Norms::kCompute,
      [&](ClassTile& tile, const at::Tensor&, int64_t, int64_t block) { add_best(tile, best_KR3[block]); });
  return best_of_blocks(best_KR3);
}

}  // namespace

at::Tensor best_classes(const CenterShard& centers, const at::Tensor& embeddings_BD) {
  const at::NoGradGuard no_autograd;
  centers.check_embeddings(embeddings_BD);
  const Communicator& ranks = *centers.communicator;
  const GatheredRows rows = centers.gather_rows(embeddings_BD.detach(), 0);
  const at::Tensor best_by_rank = ranks.all_gather_rows(best_of_this_rank(centers, rows.x_RD));
  const at::Tensor best_R3 = best_of_blocks(best_by_rank.view({ranks.size(), -1, kNumBest}));
  const at::Tensor logits_R = best_R3.select(1, kBestCosine) * centers.scale;
  const at::Tensor probabilities_R = (logits_R - best_R3.select(1, kBestSumExp).log()).exp();
  return at::stack({best_R3.select(1, kBestClass), best_R3.select(1, kBestCosine), probabilities_R}, 1)
      .narrow(0, ranks.rank() * embeddings_BD.size(0), embeddings_BD.size(0))
      .to(at::kFloat);
}

}  // namespace uir
