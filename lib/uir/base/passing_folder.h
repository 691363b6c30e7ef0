// A folder that is gone at the end of a scope, whatever the end is.
#pragma once

#include <system_error>

#include "uir/base/file.h"

namespace uir {

class PassingFolder {
 public:
  // Made if it is not there. kCannotCreate.
  explicit PassingFolder(const fs::path& path) : path_(path) { create_folders(path); }
  ~PassingFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  PassingFolder(const PassingFolder&) = delete;
  PassingFolder& operator=(const PassingFolder&) = delete;

  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

}  // namespace uir
