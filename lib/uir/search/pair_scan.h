// Visits all pairs of two sets of unit vectors, or of one set, that may matter to a search: the machinery of
// exact searches over 10^12 pairs (tail_search.h, top_k.h).
//
// A filter of low precision (filtered_rows.h) leaves out pairs that certainly score less than the search's
// running threshold; the rest are scored by score() in float64. So a search that only keeps what reaches a
// threshold gives the result of a float64 brute force to the last bit, for any kernel, block size, number of
// threads or slices. On a processor the filter looks at a part of the vectors first where that pays
// (leading_axes.h).
//
// Shapes: rows [M, D], columns [N, D], D of 1 to kMaxDim; of one set M = N. Work is cut into numbered blocks
// of row_block x column_block pairs (block_plan.h). The blocks that a slice runs are independent of threads.
// Cost: 2·M·N·D operations in the filter's precision, 0.3 µs (AVX-512) per pair that is scored. Memory: at
// most ScanResources::memory, by smaller blocks and, where that is not enough, fewer threads. By default a
// row block has 2^25 / D rows (32 MiB in int8, 128 MiB in float32) and each thread 8 bytes per value of 256
// columns; a first look takes some 16 bytes more per value of these and of 256 KiB of rows in int8, beyond
// the limit. On a device (block_filter.h) a row block is as large as its memory allows, columns come by
// 4096, and both machines' memory counts. The vectors are read row by row when needed; files that are mapped
// for them do not count.
// Errors: a row without a direction kData (with a state or slices all rows are read once, before the scan);
// a stop request kStopped, after the state was saved; too little memory for the smallest block kConfig, as
// are slices that cut the work differently. What the search holds is then a part of the result.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "uir/base/file.h"
#include "uir/base/progress.h"
#include "uir/search/block_plan.h"
#include "uir/search/block_sizes.h"
#include "uir/search/pair_filter.h"
#include "uir/search/pair_search.h"
#include "uir/search/unit_rows.h"

namespace uir {

struct ScanOptions {
  ScanResources resources{};
  Progress* progress = nullptr;             // the caller's, in pairs; default: one of its own
  std::string what = "scoring pairs";       // for the progress line
  int64_t row_block = 0, column_block = 0;  // 0: what the memory allows
  std::function<bool()> stop{};             // whether to stop; asked before every block, on any thread
  const FilterKernel* kernel = nullptr;     // default: the processor's fastest; not on a device
  // Values of the vectors that a first look always takes (leading_axes.h), for tests; 0: as many as pay.
  int64_t leading_values = 0;
};

// Between processes that run one slice each: takes what this one found (MergeableSearch::save) and returns
// what all found, in the order of slices. All call it at the same points of their work.
using Exchange = std::function<std::vector<std::string>(const std::string& mine)>;

// A scan that is divided: between processes that run a slice each, and between runs, of which the next one
// continues where the one before was stopped.
//
// With a state file, what is found and which blocks are done is saved every save_every_s seconds and when the
// scan stops or ends; the next scan of the same vectors, settings and slice continues there. It is the
// caller's to remove once its result is safe.
struct DividedScanOptions : ScanOptions {
  Slice slice{};
  Exchange exchange{};  // called after the last block; then the search holds what all slices found
  fs::path state{};     // empty: not restartable
  double save_every_s = 30;
};

struct ScanCounts {
  int64_t pairs = 0,
          rescored = 0;  // of this slice, earlier runs included: its pairs, and those that were scored
};

ScanCounts scan_pairs(const UnitRows& rows, const UnitRows& columns, PairsOf pairs, PairSearch& search,
                      const ScanOptions& options = {});
ScanCounts scan_pairs(const UnitRows& rows, const UnitRows& columns, PairsOf pairs, MergeableSearch& search,
                      const DividedScanOptions& options);
// What cannot be merged cannot be divided.
ScanCounts scan_pairs(const UnitRows& rows, const UnitRows& columns, PairsOf pairs, PairSearch& search,
                      const DividedScanOptions& options) = delete;

}  // namespace uir
