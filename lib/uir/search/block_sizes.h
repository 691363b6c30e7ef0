// How large the blocks of a scan (pair_scan.h) may be, so that it keeps to its memory.
#pragma once

#include <cstdint>

#include "uir/search/block_filter.h"
#include "uir/search/pair_search.h"

namespace uir {

// Pairs that one look at a device's product may find; more: thresholds are still low.
inline constexpr int64_t kMostFound = int64_t{1} << 16;

// What scans may use. No result depends on it.
struct ScanResources {
  int threads = 1;                       // 0: one per processor
  int64_t memory = int64_t{2048} << 20;  // bytes
  const BlockFilter* device = nullptr;   // default: the processor's kernels
};

// The blocks of a scan, and how many threads work on them. Blocks depend on the memory, but neither on
// threads nor on the processor, so that slices on different machines cut the work alike.
struct BlockSizes {
  int64_t rows = 0, columns = 0;  // of a block
  int64_t product_rows = 0;       // of one product on a device; at most `rows`
  int workers = 1;                // threads at once, at most those of the resources
};

// For vectors of `dim` values, dim >= 1: half of the memory, besides the search's own, is for rows, half for
// the threads' columns. kConfig when not even the smallest block of one thread fits.
BlockSizes block_sizes(int64_t dim, const PairSearch& search, const ScanResources& resources);

}  // namespace uir
