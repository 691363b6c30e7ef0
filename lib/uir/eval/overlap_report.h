// What uir-index overlap found, for people (text, one HTML page) and for programs (JSON).
#pragma once

#include <string>
#include <vector>

#include "uir/base/json.h"
#include "uir/eval/overlap_search.h"

namespace uir {

Json to_json(const std::vector<SetOverlap>& sets);
std::string overlap_text(const std::vector<SetOverlap>& sets);
std::string overlap_page(const std::vector<SetOverlap>& sets);

}  // namespace uir
