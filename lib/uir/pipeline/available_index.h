// The index that training and extraction read: the one that is there, or, where there is none, built first by
// rank 0 as uir-index builds it.
#pragma once

#include "uir/data/index.h"
#include "uir/dist/communicator.h"
#include "uir/experiment/experiment.h"

namespace uir {

struct AvailableIndex {
  Index index;         // all files checked
  bool built = false;  // now: what uir-index says of it was said
};

// Rank 0 alone looks whether there is one: other machines may see a folder of a shared file system late. The
// others wait as long as it takes; a rank that is lost meanwhile, a stop request to any of them, and an error
// of indexing end all of them, and no index is left.
// Collective; ranks: over Gloo. Errors: those of run_index on every rank, kStopped, kRankLost; those of
// Index::open.
AvailableIndex available_index(const Experiment& experiment, const Communicator& ranks);

}  // namespace uir
