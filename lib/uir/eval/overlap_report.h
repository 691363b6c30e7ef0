// What uir-index overlap found, for people (text, one HTML page) and for programs (JSON).
//
// Sets and targets stand in the order in which they are given. Shares that are not known (no labeled images)
// are null in JSON and a dash elsewhere. The page refers to SetOverlap::pictures by name: it and they lie in
// one folder. Names are escaped, whatever they hold.
#pragma once

#include <string>
#include <vector>

#include "uir/base/json.h"
#include "uir/eval/overlap_search.h"

namespace uir {

// {"format": "uir-overlap", "version": 1, "sets": […]}
Json to_json(const std::vector<SetOverlap>& sets);
std::string overlap_text(const std::vector<SetOverlap>& sets);
std::string overlap_page(const std::vector<SetOverlap>& sets);

}  // namespace uir
