// Which checkpoint of a run is marked as the best: that of the highest value of one protocol.
//
// Rank 0 alone calls these. Errors: those of writing the mark; a mark that cannot be read is warned about,
// and the best is counted from there on.
#pragma once

#include <cstdint>
#include <string>

#include "uir/base/file.h"
#include "uir/train/verification.h"

namespace uir {

// Marks the checkpoint of that step if its score is the highest so far.
void keep_if_best(const fs::path& checkpoints_folder, int64_t step, const VerificationScore& score);

// Unmarks what another protocol than `best_by` (empty: any) marked, before the run was resumed.
void forget_best_of_others(const fs::path& checkpoints_folder, const std::string& best_by);

}  // namespace uir
