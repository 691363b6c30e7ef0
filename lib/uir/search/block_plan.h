// The blocks that a scan (pair_scan.h) is cut into: rectangles of the score matrix, numbered row block by row
// block, and which of them are done.
#pragma once

#include <algorithm>
#include <cstdint>
#include <set>
#include <vector>

#include "uir/base/row_range.h"

namespace uir {

enum class PairsOf {
  kRowsAndColumns,  // every row with every column
  kOneSet           // unordered pairs i < j; rows and columns are the same set
};

// Of `count` processes that share a scan, the one that runs blocks index, index + count, …
struct Slice {
  int64_t index = 0, count = 1;
};

struct BlockPlan {
  int64_t rows = 0, columns = 0;            // of the matrix
  int64_t row_block = 1, column_block = 1;  // of a block; the last ones may be smaller
  PairsOf pairs = PairsOf::kRowsAndColumns;

  int64_t row_blocks() const { return (rows + row_block - 1) / row_block; }
  int64_t column_blocks() const { return (columns + column_block - 1) / column_block; }
  int64_t size() const { return row_blocks() * column_blocks(); }
  RowRange rows_of(int64_t row_block_number) const {
    return {row_block_number * row_block, std::min(rows, (row_block_number + 1) * row_block)};
  }
  RowRange columns_of(int64_t block) const {
    const int64_t c = block % column_blocks();
    return {c * column_block, std::min(columns, (c + 1) * column_block)};
  }
  int64_t pairs_of(int64_t block) const {
    const RowRange r = rows_of(block / column_blocks()), c = columns_of(block);
    if (pairs == PairsOf::kRowsAndColumns) return r.size() * c.size();
    int64_t count = 0;  // of i < j
    for (int64_t j = c.begin; j < c.end; ++j) count += std::clamp<int64_t>(j - r.begin, 0, r.size());
    return count;
  }
};

// The done ones among the `count` blocks of a plan that are a slice's own. Memory: that of the blocks done
// ahead of others.
class DoneBlocks {
 public:
  DoneBlocks(int64_t count, Slice slice) : count_(count), slice_(slice) {}
  // Continues where another run stopped: its next() and ahead().
  void restore(int64_t next, const std::vector<int64_t>& ahead) {
    next_ = next;
    ahead_ = {ahead.begin(), ahead.end()};
  }

  bool to_do(int64_t block) const { return own(block) && block >= next_ && !ahead_.contains(block); }
  void add(int64_t block) {
    ahead_.insert(block);
    while (next_ < count_ && (!own(next_) || ahead_.contains(next_))) ahead_.erase(next_++);
  }

  int64_t next() const { return next_; }  // all of its own before it are done
  std::vector<int64_t> ahead() const {
    return {ahead_.begin(), ahead_.end()};
  }  // and these after it, ascending

 private:
  bool own(int64_t block) const { return block % slice_.count == slice_.index; }

  int64_t count_;
  Slice slice_;
  int64_t next_ = 0;
  std::set<int64_t> ahead_;
};

}  // namespace uir
