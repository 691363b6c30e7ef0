// Files of the shared real-data folder beside the repository; tests that need one are skipped, saying so,
// without it.
#pragma once

#include <filesystem>
#include <string>

#include "support/catch.h"

// <repository>/../shared/data/<name>; empty, with a warning, where it is absent.
inline std::filesystem::path real_data(const std::string& name) {
  const auto repository = std::filesystem::absolute(__FILE__).parent_path().parent_path().parent_path();
  const auto path = repository.parent_path() / "shared" / "data" / name;
  if (std::filesystem::exists(path)) return path;
  WARN("skipped: " << path.string() << " is not there");
  return {};
}
