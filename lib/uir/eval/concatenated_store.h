// Several models as one: their unit vectors one behind the other, as entries to challenges do it.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "uir/store/embedding_store.h"

namespace uir {

// [N, ΣD], in memory: of each part f / |f + m| and, if all parts have them, m / |f + m| of the mirrored
// embeddings m, so that with the flip test each part counts alike; without them f / |f|. names: of the parts,
// for errors and the manifest. kData where the parts' images, labels or mirrored embeddings differ, or a
// vector has no direction. Cost: one pass.
EmbeddingStore concatenated_store(std::span<const EmbeddingStore> parts, std::span<const std::string> names,
                                  int threads);

}  // namespace uir
