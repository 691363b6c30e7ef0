// The filter in front of exact scores on a device that is good at large matrix products. Like the tiles of
// pair_filter.h it may let through too many pairs but never leaves out one that reaches its row's threshold, so no
// result depends on it. This is the interface; search_device/torch_filter.h implements it with LibTorch.
//
// Threads: const functions may run at once, set() for different vectors too.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "uir/base/row_range.h"

namespace uir {

class BlockFilter {
 public:
  struct Pair {
    int64_t row, column;  // numbers of vectors
  };
  // Vectors of one side, on the device.
  class Vectors {
   public:
    virtual ~Vectors() = default;
    // values: [n, D], of vectors first, first + 1, …
    virtual void set(int64_t first, std::span<const float> values) = 0;
  };
  // The scores of a tile, on the device.
  class Tile {
   public:
    virtual ~Tile() = default;
    // The pairs of a part of the tile that may reach their row's threshold (one per row; +infinity: none need be
    // found), row by row. False, and none, if they are more than `most`.
    virtual bool passing(RowRange rows, RowRange columns, std::span<const double> thresholds, int64_t most,
                         std::vector<Pair>& found) const = 0;
  };

  virtual ~BlockFilter() = default;
  virtual std::string name() const = 0;
  virtual std::unique_ptr<Vectors> make_vectors(int64_t size, int64_t dim) const = 0;
  // Both must outlive the tile.
  virtual std::unique_ptr<Tile> multiply(const Vectors& rows, RowRange row_range, const Vectors& columns,
                                         RowRange column_range) const = 0;
  // The most memory of a vector, and per pair of a tile besides the pairs found.
  virtual int64_t vector_bytes(int64_t dim) const = 0;
  virtual int64_t pair_bytes() const = 0;
};

}  // namespace uir
