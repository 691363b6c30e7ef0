// Whether a checkpoint belongs to the experiment that goes on from it.
#pragma once

#include "uir/checkpoint/checkpoint.h"
#include "uir/data/index.h"
#include "uir/experiment/experiment.h"
#include "uir/pipeline/compute.h"

namespace uir {

// kConfig, with all differences, if an option differs that must not (MayDifferOnResume), or the data. Warns
// if device, arithmetic, ranks, threads or LibTorch are others than those that wrote the checkpoint: the
// weights will then not be those of an uninterrupted run to the last bit. LibTorch's thread count must be set
// (choose_compute).
void check_resumable(const Checkpoint& checkpoint, const Experiment& experiment, const Index& index,
                     const Compute& compute, int64_t num_ranks);

}  // namespace uir
