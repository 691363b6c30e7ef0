// What to type where a folder or the files of a list are not where a config says: lines of the config, and
// commands, to be copied.
//
// Cost: for errors only; looks at one folder's content and at some dozens of paths. Errors: none, whatever
// cannot be read explains nothing. Threads: pure functions of the file system.
#pragma once

#include <string>
#include <string_view>

#include "uir/base/file.h"
#include "uir/data/config.h"

namespace uir {

// For a root that is not there: the name nearest to it that is. Empty, or with "; " in front.
std::string root_remedy(const fs::path& root);

// For a list none of whose files is there, of which `path` is one as the list has it: another root, or the
// list rewritten by a command. Empty if nothing near explains it.
std::string list_remedy(const fs::path& list, ListFormat format, const fs::path& root, std::string_view path);

}  // namespace uir
