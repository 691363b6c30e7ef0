// Tar shards in webdataset's naming: which belong together, and which of their files tell who it is.
// Cost: the header of every file in them; of the first shard also the first JSON file.
#pragma once

#include <optional>

#include "uir/survey/collected.h"

namespace uir {

// The shards "faces-000000.tar", "faces-000001.tar" … are one source, found at the first of them; the others
// are passed over. Errors: those of the source.
void survey_shards(const fs::path& shard, std::optional<Role> role, Collected& collected);

}  // namespace uir
