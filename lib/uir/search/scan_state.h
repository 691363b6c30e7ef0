// The saved state of an interrupted scan (pair_scan.h): which blocks are done and what they found.
//
// File (docs/formats.md): magic, version, fingerprint, counts, the search's bytes, XXH3 of everything before
// it. Written by the commit protocol, so a crash leaves the state before it. A state that is damaged or
// belongs to other inputs or settings is ignored with a warning that says so: it can only save time, never
// change a result.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "uir/base/file.h"

namespace uir {

struct ScanState {
  int64_t next_block = 0;           // all blocks before it are done
  std::vector<int64_t> done_ahead;  // and these after it, ascending
  int64_t pairs = 0, rescored = 0;
  std::string found;  // MergeableSearch::save()
};

// fingerprint: of the vectors, settings, division and slice that the state belongs to. kIo when it cannot be
// written.
void save_scan_state(const fs::path& path, uint64_t fingerprint, const ScanState& state);
// Nothing where there is no file, or one that is ignored.
std::optional<ScanState> load_scan_state(const fs::path& path, uint64_t fingerprint);

}  // namespace uir
