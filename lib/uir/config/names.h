// Names that configs give: what they may hold, and those of embedding sets that mean something.
#pragma once

#include <algorithm>
#include <cctype>
#include <string_view>

namespace uir {

// "<source>.held_out": the set of a source's images that training never sees.
inline constexpr std::string_view kHeldOutSuffix = ".held_out";
// The class centers, which uir-extract exports as one more embedding set.
inline constexpr const char* kClassCentersSet = "class_centers";

// An embedding set is all of a source, or what the source holds out.
struct SetName {
  std::string_view source;
  bool held_out = false;
};
inline SetName parse_set_name(std::string_view set) {
  const bool held_out = set.ends_with(kHeldOutSuffix);
  return {held_out ? set.substr(0, set.size() - kHeldOutSuffix.size()) : set, held_out};
}

// Names that become names of files and folders: letters, digits, '_' and '-' only.
inline bool is_plain_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
  });
}
// Names that become the beginning or the whole of a file's: no folder, and not hidden.
inline bool is_file_name(std::string_view name) {
  return name.find('/') == std::string_view::npos && !name.starts_with('.');
}

}  // namespace uir
