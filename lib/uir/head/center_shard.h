// This rank's rows of the class centers, and how every pass over the classes meets them: all ranks' rows,
// normalised, times one tile of classes after the other. Training walks over them with gradients
// (head_pass.h), extraction looks for each row's best class (best_classes.h).
//
// Shapes (suffixes): B rows of this rank, R rows of all ranks (all labeled rows first), C classes, n of them
// of this rank, m classes of a list (all of this rank's or a sample), T classes of a tile, D embedding size.
// Collectives: gather_rows and rows_of_this_rank, one each.
// Errors: the constructor's; a walk has none of its own.
// Threads: called from one; a walk uses LibTorch's intra-op threads, each taking whole tiles: one barrier for
// a walk instead of several for a tile, which cost more than the work itself when other threads want the
// processor too.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "uir/base/row_range.h"
#include "uir/dist/communicator.h"
#include "uir/head/class_tile.h"
#include "uir/head/config.h"

namespace uir {

// The classes of a rank: n = C/K of K ranks' C, and one more for the first C % K ranks.
RowRange class_range(int64_t num_classes, int64_t rank, int64_t num_ranks);

// N(0, 0.01), float32 [n, D] on the CPU: a function of the seed and of the class number alone, not of the
// sharding.
at::Tensor initial_centers(RowRange classes, int64_t embedding_size, uint64_t seed);

// Normalised rows of all ranks. A row of length 0 has cosine 0 to everything and no gradient.
struct GatheredRows {
  at::Tensor x_RD;
  at::Tensor norms_R, inverse_norms_R;
  int64_t labeled = 0;
  int64_t size() const { return x_RD.size(0); }
  int64_t unlabeled() const { return size() - labeled; }
};

// The classes that a walk meets, and their inverse norms, which the first walk fills in.
struct ClassList {
  // Of a sample: from this rank's first class on, ascending; undefined: all classes.
  at::Tensor numbers_m, host_numbers_m;
  at::Tensor inverse_norms_m;
  // What the walk counts its classes from: the rank's first class, or 0 in a sample, whose targets are
  // positions.
  int64_t first_class = 0;
  int64_t size() const { return inverse_norms_m.size(0); }
};

// kConfig for a scale whose exponentials leave float64, or a sample rate outside (0, 1]; kData without a
// class. For callers who make centers, before these take gigabytes.
void check_head(const HeadConfig& config, int64_t num_classes);

struct CenterShard {
  // centers: [n, D], this rank's rows (class_range), any norm. Errors: check_head's.
  CenterShard(std::shared_ptr<const Communicator> ranks, int64_t num_classes, at::Tensor centers,
              const HeadConfig& config);

  std::shared_ptr<const Communicator> communicator;
  int64_t num_classes;
  RowRange range;  // this rank's classes
  at::Tensor centers_nD;
  double scale;        // s: logits are s times the cosine
  int64_t class_tile;  // classes handled at a time; 0: chosen for the cache

  GatheredRows gather_rows(const at::Tensor& embeddings_BD, int64_t labeled_per_rank) const;
  // Sums over all ranks; returns the rows of this rank, in the order of its embeddings.
  at::Tensor rows_of_this_rank(const at::Tensor& partial_RD, int64_t labeled_per_rank) const;
  // What a caller may hand in, [B, D] of the centers' type; anything else is a bug of ours (kInternal).
  void check_embeddings(const at::Tensor& embeddings_BD) const;

  ClassList all_classes() const;
  ClassList sample(const std::vector<int64_t>& numbers) const;
  // Tiles are dealt to this many blocks, a number that depends on their count alone. Whoever sums over
  // classes sums by block and adds the blocks up in order, so no result depends on the number of threads.
  int64_t num_blocks(const ClassList& classes) const;
  enum class Norms { kCompute, kKnown };
  using TileBody =
      std::function<void(ClassTile& tile, const at::Tensor& weights_TD, int64_t begin, int64_t block)>;
  // Calls body with the products of each tile of classes; begin is the tile's place in the list. Calls for
  // different blocks run at the same time. The centers of a sample are gathered tile by tile.
  void walk(const at::Tensor& x_RD, const ClassList& classes, Norms norms, const TileBody& body) const;

 private:
  int64_t tile_size(const ClassList& classes, int64_t rows) const;
  void walk_block(const at::Tensor& x_RD, const ClassList& classes, Norms norms, const TileBody& body,
                  int64_t block) const;
};

}  // namespace uir
