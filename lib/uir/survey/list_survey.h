// Text files: lists of images, whose format and folder are found by trying; lists of pairs, and whose images
// they name. Cost: a list is read once, its labels' hashes kept.
#pragma once

#include "uir/survey/collected.h"

namespace uir {

// Takes collected.texts, in order. A folder whose images a list names is no source of its own any more.
void survey_lists(const std::vector<RoleOfPath>& said, Collected& collected);

}  // namespace uir
