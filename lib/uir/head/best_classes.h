// Each row's best class, for extraction and for out-of-library rejection: one walk over the classes.
//
// Collectives: one gather of embeddings, one of [B, 3] results per rank. Threads: as shard.h.
#pragma once

#include <ATen/core/Tensor.h>

#include "uir/head/shard.h"

namespace uir {

// Class, cosine, probability of the rows of this rank: float32 [B, 3]. The lowest of classes with equal cosines counts.
at::Tensor best_classes(const Shard& shard, const at::Tensor& embeddings_BD);

}  // namespace uir
