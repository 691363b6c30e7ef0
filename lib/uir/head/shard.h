// This rank's class centers and how every pass meets them: all ranks' rows, normalised, times one tile of classes after
// the other.
//
// Shapes (suffixes): B rows of this rank, R rows of all ranks (all labeled rows first), n classes of this rank,
// T classes of a tile, D embedding size.
// Collectives: gather_rows and rows_of_this_rank, one each.
// Threads: called from one; a walk uses LibTorch's intra-op threads, each taking whole tiles: one barrier for a walk
// instead of several for a tile, which cost more than the work itself when other threads want the processor too.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>

#include "uir/dist/communicator.h"
#include "uir/head/config.h"
#include "uir/head/head.h"
#include "uir/head/tile.h"

namespace uir {

// Normalised rows of all ranks. A row of length 0 has cosine 0 to everything and no gradient.
struct Rows {
  at::Tensor x_RD;
  at::Tensor norms_R, inverse_norms_R;
  int64_t labeled = 0;
  int64_t size() const { return x_RD.size(0); }
  int64_t unlabeled() const { return size() - labeled; }
};

struct Shard {
  HeadConfig config;
  UirReduction reduction;
  int64_t num_classes;
  std::shared_ptr<const Communicator> communicator;
  ClassRange range;
  at::Tensor centers_nD;  // unnormalised
  at::Tensor margin_state;

  Rows gather_rows(const at::Tensor& embeddings_BD, int64_t labeled_per_rank) const;
  // Sums over all ranks; returns the rows of this rank, in the order of its embeddings.
  at::Tensor rows_of_this_rank(const at::Tensor& partial_RD, int64_t labeled_per_rank) const;

  // One for each class; filled by the first walk.
  at::Tensor empty_inverse_norms_n() const;
  // Tiles are dealt to this many blocks, a number that depends on the classes alone. Whoever sums over classes sums by
  // block and adds the blocks up in order, so no result depends on the number of threads.
  int64_t num_blocks() const;
  enum class Norms { kCompute, kKnown };
  using TileBody =
      std::function<void(Tile& tile, const at::Tensor& weights_TD, int64_t begin, int64_t block)>;
  // Calls body with the products of each tile of classes; begin counts from this rank's first class. Calls for
  // different blocks run at the same time.
  void walk(const at::Tensor& x_RD, const at::Tensor& inverse_norms_n, Norms norms,
            const TileBody& body) const;

 private:
  int64_t tile_size() const;
  void walk_block(const at::Tensor& x_RD, const at::Tensor& inverse_norms_n, Norms norms,
                  const TileBody& body, int64_t block) const;
};

// N(0, 0.01), a function of the seed and of the class number.
at::Tensor initial_centers(const ClassRange& range, int64_t embedding_size, uint64_t seed);

}  // namespace uir
