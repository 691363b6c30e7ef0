// What lies in a folder, in byte order; hidden files are left out.
// Errors: kMissingInput for a folder that cannot be read; kData for a link to a folder, and for names with
// control characters. Threads: thread-safe.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "uir/base/file.h"
#include "uir/data/left_out.h"

namespace uir {

using NameFilter = bool (*)(const fs::path& name);
bool is_image_name(const fs::path& name);  // by extension, any case
bool is_video_name(const fs::path& name);

// Order of names in which runs of digits count as numbers ("2.jpg" before "10.jpg"), all else by bytes; names
// that differ in leading zeros only stand in byte order.
bool natural_less(std::string_view a, std::string_view b);

// kData for a name with a control character (a tab, a line break …), showing it in full: every list of names
// that we write, read or take from others has one name a line, mostly with a tab behind it. folder: where it
// lies, for the message.
void check_name(std::string_view name, const fs::path& folder = {});

struct FolderContent {
  std::vector<std::string> folders, files;  // names, each in byte order
};
// left_out (may be null) counts the files that are not wanted.
FolderContent list_folder(const fs::path& path, NameFilter wanted, LeftOut* left_out = nullptr);

// The wanted files at any depth below root, as relative paths, in the byte order of these.
void for_each_file(const fs::path& root, NameFilter wanted, const std::function<void(std::string)>& body,
                   LeftOut* left_out = nullptr);

// A path of a list as the name of an item: relative to root and lexically normal, so that one file has one
// name. kData if it leads out of root, or check_name refuses it.
std::string item_in(const fs::path& root, std::string_view path);

// "faces/" -> "faces": names beside a folder are made by adding to its name.
inline fs::path without_last_slash(const fs::path& path) {
  return path.has_filename() || !path.has_relative_path() ? path : path.parent_path();
}

}  // namespace uir
