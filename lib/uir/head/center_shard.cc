#include "uir/head/center_shard.h"

#include <ATen/Parallel.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/tensor.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <utility>

#include "uir/base/error.h"
#include "uir/base/random.h"
#include "uir/device/transfer.h"

namespace uir {
namespace {

// Row sums are float64 sums of exponentials: finite for any number of classes below this scale.
constexpr double kLargestScale = 600;

constexpr double kInitialDeviation = 0.01;

// A shorter vector has no direction.
constexpr double kSmallestNorm = 1e-12;

// On a CPU a tile of centers and its logits stay in a core's second-level cache (fastest in bench_head among
// 256 to 8192). On other devices each operator of a tile is a launch, so a tile has as many logits as memory
// allows: some 20 bytes each.
constexpr int64_t kCpuTile = 512, kDeviceTileLogits = int64_t{1} << 25, kSmallestDeviceTile = 4096;

// Enough for the threads of most machines; each costs [R, D] of memory in the backward walk.
constexpr int64_t kMostBlocks = 32;

at::Tensor inverse_of(const at::Tensor& norms) {
  return norms.reciprocal().masked_fill_(norms.lt(kSmallestNorm), 0);
}

at::Tensor norms_of(const at::Tensor& vectors_XD) { return at::linalg_vector_norm(vectors_XD, 2, {1}); }

// Rows gathered rank by rank as [labeled; unlabeled] → all labeled rows first.
at::Tensor labeled_first(const at::Tensor& rows_RD, int64_t ranks, int64_t labeled_per_rank) {
  if (ranks == 1) return rows_RD;
  const int64_t size = rows_RD.size(1), rows_per_rank = rows_RD.size(0) / ranks;
  const at::Tensor blocks = rows_RD.view({ranks, rows_per_rank, size});
  return at::cat({blocks.narrow(1, 0, labeled_per_rank).reshape({-1, size}),
                  blocks.narrow(1, labeled_per_rank, rows_per_rank - labeled_per_rank).reshape({-1, size})});
}

// The inverse of labeled_first.
at::Tensor rank_first(const at::Tensor& rows_RD, int64_t ranks, int64_t labeled_per_rank) {
  if (ranks == 1) return rows_RD;
  const int64_t size = rows_RD.size(1), rows_per_rank = rows_RD.size(0) / ranks;
  const int64_t labeled = ranks * labeled_per_rank, unlabeled = rows_RD.size(0) - labeled;
  return at::cat(
             {rows_RD.narrow(0, 0, labeled).reshape({ranks, labeled_per_rank, size}),
              rows_RD.narrow(0, labeled, unlabeled).reshape({ranks, rows_per_rank - labeled_per_rank, size})},
             1)
      .view({-1, size});
}

}  // namespace

RowRange class_range(int64_t num_classes, int64_t rank, int64_t num_ranks) {
  const int64_t share = num_classes / num_ranks, rest = num_classes % num_ranks;
  const int64_t begin = rank * share + std::min(rank, rest);
  return {begin, begin + share + (rank < rest ? 1 : 0)};
}

at::Tensor initial_centers(RowRange classes, int64_t embedding_size, uint64_t seed) {
  at::Tensor centers_nD = at::empty({classes.size(), embedding_size}, at::kFloat);
  float* values = centers_nD.data_ptr<float>();
  at::parallel_for(0, classes.size(), 64, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      ItemRandom random(seed, RandomPurpose::kInit, 0, static_cast<uint64_t>(classes.begin + i));
      for (int64_t d = 0; d < embedding_size; ++d) {
        values[i * embedding_size + d] = static_cast<float>(kInitialDeviation * random.normal());
      }
    }
  });
  return centers_nD;
}

void check_head(const HeadConfig& config, int64_t num_classes) {
  if (config.scale > kLargestScale) {
    fail(ErrorKind::kConfig, "head.scale: ", config.scale, " is above ", kLargestScale,
         ", where e^scale leaves float64; 64 is usual");
  }
  if (!(config.sample_rate > 0 && config.sample_rate <= 1)) {
    fail(ErrorKind::kConfig, "head.sample_rate: ", config.sample_rate, " is outside (0, 1]");
  }
  if (num_classes < 1) fail(ErrorKind::kData, "the index has no labeled class; the head needs at least one");
}

CenterShard::CenterShard(std::shared_ptr<const Communicator> ranks, int64_t num_classes, at::Tensor centers,
                         const HeadConfig& config)
    : communicator(std::move(ranks)),
      num_classes(num_classes),
      range(class_range(num_classes, communicator->rank(), communicator->size())),
      centers_nD(std::move(centers)),
      scale(config.scale),
      class_tile(config.class_tile) {
  check_head(config, num_classes);
  ensure(centers_nD.dim() == 2 && centers_nD.size(0) == range.size(),
         "a rank has the centers of its classes");
}

void CenterShard::check_embeddings(const at::Tensor& embeddings_BD) const {
  ensure(embeddings_BD.dim() == 2 && embeddings_BD.size(1) == centers_nD.size(1),
         "embeddings are [B, D] with the class centers' D");
  ensure(embeddings_BD.scalar_type() == centers_nD.scalar_type(),
         "embeddings and class centers have one type");
}

GatheredRows CenterShard::gather_rows(const at::Tensor& embeddings_BD, int64_t labeled_per_rank) const {
  const at::Tensor all_RD = communicator->all_gather_rows(embeddings_BD.contiguous());
  GatheredRows rows;
  rows.labeled = labeled_per_rank * communicator->size();
  rows.x_RD = labeled_first(all_RD, communicator->size(), labeled_per_rank);
  rows.norms_R = norms_of(rows.x_RD);
  rows.inverse_norms_R = inverse_of(rows.norms_R);
  rows.x_RD = rows.x_RD.mul(rows.inverse_norms_R.unsqueeze(1));
  return rows;
}

at::Tensor CenterShard::rows_of_this_rank(const at::Tensor& partial_RD, int64_t labeled_per_rank) const {
  return communicator->reduce_scatter_rows(rank_first(partial_RD, communicator->size(), labeled_per_rank));
}

ClassList CenterShard::all_classes() const {
  return {{}, {}, at::empty({range.size()}, centers_nD.options().requires_grad(false)), range.begin};
}

ClassList CenterShard::sample(const std::vector<int64_t>& numbers) const {
  const auto size = static_cast<int64_t>(numbers.size());
  const at::Tensor host = at::tensor(numbers, at::kLong);
  return {upload(host, centers_nD.device()), host,
          at::empty({size}, centers_nD.options().requires_grad(false)), 0};
}

int64_t CenterShard::tile_size(const ClassList& classes, int64_t rows) const {
  const int64_t tile = centers_nD.is_cpu()
                           ? kCpuTile
                           : std::max(kSmallestDeviceTile, kDeviceTileLogits / std::max<int64_t>(1, rows));
  return std::max<int64_t>(1, std::min(class_tile > 0 ? class_tile : tile, classes.size()));
}

int64_t CenterShard::num_blocks(const ClassList& classes) const {
  if (!centers_nD.is_cpu()) return 1;
  const int64_t tile = tile_size(classes, 0);  // the same for any rows
  const int64_t tiles = (classes.size() + tile - 1) / tile;
  return std::max<int64_t>(1, std::min(tiles, kMostBlocks));
}

void CenterShard::walk(const at::Tensor& x_RD, const ClassList& classes, Norms norms,
                       const TileBody& body) const {
  at::parallel_for(0, num_blocks(classes), 1, [&](int64_t begin, int64_t end) {
    const at::NoGradGuard no_autograd;  // a thread's own
    for (int64_t block = begin; block < end; ++block) walk_block(x_RD, classes, norms, body, block);
  });
}

void CenterShard::walk_block(const at::Tensor& x_RD, const ClassList& classes, Norms norms,
                             const TileBody& body, int64_t block) const {
  const int64_t tile_classes = tile_size(classes, x_RD.size(0)), blocks = num_blocks(classes);
  const int64_t tiles = (classes.size() + tile_classes - 1) / tile_classes;
  const at::Tensor buffer = at::empty({x_RD.size(0) * tile_classes}, x_RD.options());
  const bool sampled = classes.numbers_m.defined();
  at::Tensor gathered;
  if (sampled) gathered = at::empty({tile_classes, centers_nD.size(1)}, x_RD.options());
  for (int64_t t = tiles * block / blocks; t < tiles * (block + 1) / blocks; ++t) {
    const int64_t begin = t * tile_classes, size = std::min(tile_classes, classes.size() - begin);
    at::Tensor weights_TD = (sampled ? gathered : centers_nD).narrow(0, sampled ? 0 : begin, size);
    if (sampled) at::index_select_out(weights_TD, centers_nD, 0, classes.numbers_m.narrow(0, begin, size));
    at::Tensor inverse_norms_T = classes.inverse_norms_m.narrow(0, begin, size);
    if (norms == Norms::kCompute) inverse_norms_T.copy_(inverse_of(norms_of(weights_TD)));
    at::Tensor products_RT = buffer.narrow(0, 0, x_RD.size(0) * size).view({x_RD.size(0), size});
    at::mm_out(products_RT, x_RD, weights_TD.t());
    ClassTile tile{products_RT, inverse_norms_T, classes.first_class + begin, scale};
    body(tile, weights_TD, begin, block);
  }
}

}  // namespace uir
