// What the pages show of each person (player_page.h), from the timeline and the pictures in its folder.
#pragma once

#include <vector>

#include "uir/timeline/player_page.h"

namespace uir {

// A line each: people, strangers' groups, and what has no name: strangers in no group, unsure, too small.
// With the pictures of the three tracks with the best faces; one that is not there is left out.
std::vector<PersonLine> person_lines(const Timeline& timeline, const fs::path& folder);

}  // namespace uir
