// A tail search in one call.
#pragma once

#include <cstdint>
#include <vector>

#include "uir/search/tail_search.h"

namespace uir {

// As TopPairs::pairs() of all pairs that are wanted. Options: ScanOptions, or those of a divided scan.
template <class Options = ScanOptions>
std::vector<TailPair> best_pairs(const UnitRows& rows, const UnitRows& columns, PairsOf pairs, int64_t n,
                                 const PairWanted& wanted = nullptr, const Options& options = {}) {
  TailSearch search(n, options.what, wanted);
  scan_pairs(rows, columns, pairs, search, options);
  return search.pairs();
}

}  // namespace uir
