// What names of files and folders tell about what lies in them. Threads: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "uir/data/config.h"

namespace uir {

// "web" -> unlabeled, "test_people" -> test, "faces" -> labeled: by whole words, any case; none if no word
// tells. Of several, test counts before unlabeled and unlabeled before labeled.
std::optional<Role> role_of_name(std::string_view name);

// Whether the name is such a word and nothing else.
bool is_role_name(std::string_view name);

// The person of an image that is named as AgeDB's are: "12_MariaCallas_35_f.jpg" -> "MariaCallas"; else
// empty.
std::string_view agedb_person(std::string_view name);

// "LFW crops" -> "LFW_crops": a name for a source; "data" if nothing is left.
std::string source_name(std::string_view file_name);

// Letters of ASCII only.
std::string in_lower_case(std::string text);

}  // namespace uir
