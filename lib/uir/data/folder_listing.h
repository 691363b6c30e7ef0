// What lies in a folder, in byte order; hidden files are left out.
// Errors: kMissingInput for a folder that cannot be read, kData for a link to a folder. Threads: thread-safe.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "uir/base/file.h"

namespace uir {

using NameFilter = bool (*)(const fs::path& name);
bool is_image_name(const fs::path& name);  // by extension, any case
bool is_video_name(const fs::path& name);

// Order of names in which runs of digits count as numbers ("2.jpg" before "10.jpg"), all else by bytes; names
// that differ in leading zeros only stand in byte order.
bool natural_less(std::string_view a, std::string_view b);

struct FolderContent {
  std::vector<std::string> folders, files;  // names, each in byte order
};
FolderContent list_folder(const fs::path& path, NameFilter wanted);

// The wanted files at any depth below root, as relative paths, in the byte order of these.
void for_each_file(const fs::path& root, NameFilter wanted, const std::function<void(std::string)>& body);

// A path of a list as the name of an item: relative to root and lexically normal, so that one file has one
// name. kData if it leads out of root.
std::string item_in(const fs::path& root, std::string_view path);

// "faces/" -> "faces": names beside a folder are made by adding to its name.
inline fs::path without_last_slash(const fs::path& path) {
  return path.has_filename() || !path.has_relative_path() ? path : path.parent_path();
}

}  // namespace uir
