// What is looked for among the pairs of a scan (pair_scan.h): the interface of exact searches over 10^12
// pairs.
//
// Threads: one object serves all threads of a scan. A block belongs to one thread; what blocks share with
// their search is the search's to guard. Errors: what any of these functions throws ends the scan, and is
// thrown by it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "uir/base/row_range.h"

namespace uir {

class PairSearch {
 public:
  // The part of one thread in one block of rows x columns.
  class Block {
   public:
    virtual ~Block() = default;
    // Sets a threshold for each of these rows: pairs of these rows and columns that score less need not be
    // added. Never higher than what the final result needs; +infinity: none are needed.
    virtual void thresholds(RowRange rows, RowRange columns, std::span<double> thresholds) = 0;
    // Whether the pair counts at all; asked before it is scored.
    virtual bool wants(int64_t row, int64_t column) = 0;
    // A pair that is wanted, with its exact score (canonical.h); each at most once in a scan. It may score
    // less than the threshold.
    virtual void add(int64_t row, int64_t column, double score) = 0;
  };
  virtual ~PairSearch() = default;
  // On any thread. `rows` and `columns` hold all pairs that the block will see; the search outlives it.
  virtual std::unique_ptr<Block> begin(RowRange rows, RowRange columns) = 0;
  // One at a time, once for every block that was scanned to its end.
  virtual void commit(Block& block) = 0;
  // The most memory that the whole search takes, and a block of it.
  virtual int64_t bytes() const = 0;
  virtual int64_t block_bytes(int64_t rows, int64_t columns) const = 0;
};

// A search whose results can be saved and put together: what a scan needs that is restarted from a state file
// or divided between processes.
class MergeableSearch : public PairSearch {
 public:
  // What the committed blocks found; it may hold more of them that are under way. While no other thread
  // commits.
  virtual std::string save() const = 0;
  // Adds what save() returned, of a search with equal settings: of other blocks (another slice), or of all
  // blocks that were done when a scan was restarted; afterwards the search is as if it had seen them. kData
  // when the bytes end early.
  virtual void merge(std::string_view saved) = 0;
  // Two searches with equal settings look for the same.
  virtual std::string settings() const = 0;
};

}  // namespace uir
