// An index again, with other flags: what marks bad and excluded rows.
#pragma once

#include <cstdint>
#include <span>

#include "uir/data/index.h"

namespace uir {

// Commits to `to` (which may be the same folder) the index of `folder` with these flags, one per row. kData
// for a damaged file of the index.
void write_index_with_flags(const fs::path& folder, const fs::path& to, std::span<const uint32_t> flags);

}  // namespace uir
