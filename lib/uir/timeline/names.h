// Names of people and files on their way into the outputs.
//
// A clean name is one line of UTF-8 text without control characters. What the analysis meets in names of
// folders is made clean once, before anything is written (readable() of base/text.h); names that people give
// are refused where they are not. So the formats have to escape what means something to them, and nothing
// else.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "uir/timeline/timeline.h"

namespace uir {

bool is_clean_name(std::string_view name);
// Every name in the timeline, made clean.
void clean_names(Timeline& timeline);

// kUsage for a name that nobody can have: not clean, empty, with space at an end, "?", "stranger 3", "#12".
void check_person_name(const std::string& name);

// A file name a person, for all systems and unique, also where capitals do not count: "AC_DC", "anna (2)".
// In the order of the names.
std::vector<std::string> safe_file_names(const std::vector<std::string>& names);

}  // namespace uir
