// Visits all pairs of two sets of unit vectors, or of one set, that may matter to a search: the machinery of exact
// searches over 10^12 pairs (tail_search.h, top_k.h).
//
// A filter of low precision (pair_filter.h) leaves out pairs that certainly score less than the search's running
// threshold; the rest are scored by score() in float64. So a search that only keeps what reaches a threshold gives the
// result of a float64 brute force to the last bit, for any kernel, block size, number of threads or slices.
//
// Work is cut into numbered blocks of row_block x column_block pairs. The blocks that a slice runs are independent of
// threads; results of slices are merged by PairSearch::merge. With a state file, what is found and which blocks are
// done is saved every save_every_s seconds and when the scan stops or ends; the next scan of the same vectors,
// settings and slice continues there. It is the caller's to remove once its result is safe.
//
// Shapes: rows [M, D], columns [N, D]. Cost: 2·M·N·D operations in the filter's precision, 2 to 3 µs per pair that is
// scored. Memory: at most ScanResources::memory, by smaller blocks and, where that is not enough, fewer threads. By
// default a row block has 2^25 / D rows (32 MiB in int8, 128 MiB in float32) and each thread 8 bytes per value of 256
// columns. On a device (block_filter.h) a row block is as large as its memory allows, columns come by 4096, and both
// machines' memory counts. The vectors are read row by row when needed; files that are mapped for them do not count.
// Errors: a row without a direction kData (with a state or slices all rows are read once, before the scan); a stop request kStopped, after
// the state was saved; too little memory for one tile kConfig, as are slices that cut the work differently.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "uir/base/file.h"
#include "uir/base/progress.h"
#include "uir/base/row_range.h"
#include "uir/search/block_filter.h"
#include "uir/search/pair_filter.h"
#include "uir/search/unit_rows.h"

namespace uir {

// What is looked for. One object serves all threads of a scan.
class PairSearch {
 public:
  // The part of one thread in one block.
  class Block {
   public:
    virtual ~Block() = default;
    // Pairs of these rows and columns that score less than their row's threshold need not be added. Never higher than
    // what the final result needs; +infinity: none are needed.
    virtual void thresholds(RowRange rows, RowRange columns, std::span<double> thresholds) = 0;
    // Whether the pair counts at all; asked before it is scored.
    virtual bool wants(int64_t row, int64_t column) = 0;
    virtual void add(int64_t row, int64_t column, double score) = 0;
  };
  virtual ~PairSearch() = default;
  virtual std::unique_ptr<Block> begin(RowRange rows, RowRange columns) = 0;  // on any thread
  virtual void commit(Block& block) = 0;  // one at a time, once for every block that was scanned to its end
  // What the committed blocks found. merge() adds what another search saved: of other blocks (another slice), or at a
  // restart. One at a time.
  virtual std::string save() const = 0;
  virtual void merge(std::string_view saved) = 0;
  // Two searches with equal settings look for the same.
  virtual std::string settings() const = 0;
  // The most memory that the whole search, and a block of it, take.
  virtual int64_t bytes() const = 0;
  virtual int64_t block_bytes(int64_t rows, int64_t columns) const = 0;
};

enum class PairsOf {
  kRowsAndColumns,  // every row with every column
  kOneSet           // unordered pairs i < j; rows and columns are the same set
};

struct Slice {
  int64_t index = 0, count = 1;
};
// Between processes that run one slice each: takes what this one found (PairSearch::save) and returns what all found,
// in the order of slices. All call it at the same points of their work.
using Exchange = std::function<std::vector<std::string>(const std::string& mine)>;

// What scans may use. No result depends on it.
struct ScanResources {
  int threads = 1;                       // 0: one per processor
  int64_t memory = int64_t{2048} << 20;  // bytes
  const BlockFilter* device = nullptr;   // default: the processor's kernels
};

struct ScanOptions {
  ScanResources resources{};
  Progress* progress = nullptr;             // the caller's, in pairs; default: one of its own
  std::string what = "scoring pairs";       // for the progress line
  int64_t row_block = 0, column_block = 0;  // 0: what the memory allows
  Slice slice{};                            // runs blocks index, index + count, …
  Exchange exchange{};  // called after the last block; then the search holds what all slices found
  fs::path state{};     // empty: not restartable
  double save_every_s = 30;
  std::function<bool()> stop{};          // asked before every block
  const FilterKernel* kernel = nullptr;  // default: the processor's fastest; not on a device
};

// The blocks of a scan, and how many threads work on them. Blocks depend on the memory, but neither on threads nor on
// the processor, so that slices on different machines cut the work alike.
struct BlockSizes {
  int64_t rows = 0, columns = 0;
  int64_t tile_rows = 0;  // of a product on a device; at most `rows`
  int workers = 1;
};
BlockSizes block_sizes(int64_t dim, const PairSearch& search, const ScanResources& resources);

struct ScanCounts {
  int64_t pairs = 0, rescored = 0;  // of this slice
};

ScanCounts scan_pairs(const UnitRows& rows, const UnitRows& columns, PairsOf pairs, PairSearch& search,
                      const ScanOptions& options = {});

}  // namespace uir
