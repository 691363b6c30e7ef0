// Lists of noises: images that carry a wrong label, or show people that they should not.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "uir/base/file.h"

namespace uir {

// Rows of the items that a noise list names. A line is the end of an item at a slash ("Ann_Lee_7.png" is
// "faces/Ann_Lee/Ann_Lee_7.png") or "anything<TAB>end of an item"; lines with # in front are comments. kData
// for a list none of which is in the set.
std::vector<bool> noisy_rows(const fs::path& list, std::span<const std::string_view> items);

}  // namespace uir
