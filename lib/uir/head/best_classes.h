// Each row's best class, for extraction and for out-of-library rejection: one walk over the classes, without
// margins, losses or gradients.
//
// Cost: 2 R n D operations (center_shard.h: R rows of all ranks, n classes of this one). Collectives: one
// gather of embeddings, one of [R, 3] results. Threads: as center_shard.h. Errors: embeddings of another size
// or type than the centers are a bug of ours (kInternal).
#pragma once

#include <ATen/core/Tensor.h>

#include "uir/head/center_shard.h"

namespace uir {

// embeddings [B, D] of the class centers' type and device, the same B on every rank. Per row of this rank:
// class, its cosine, its probability p (softmax of scale times cosine over all classes), and log(p/(1 − p)),
// which still tells faces apart whose p is 1 in float32 (the largest float32 for a single class): float32
// [B, 4], so class numbers are exact up to 2^24. The lowest of classes with equal cosines counts. No
// autograd.
at::Tensor best_classes(const CenterShard& centers, const at::Tensor& embeddings_BD);

}  // namespace uir
