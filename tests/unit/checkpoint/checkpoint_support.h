// Shared by the checkpoint tests. Include after torch headers.
#pragma once

#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include "uir/base/error.h"
#include "uir/base/file.h"

// The error that the action throws; none if it does not.
template <class Action>
std::optional<uir::Error> error_of(Action&& action) {
  try {
    action();
  } catch (const uir::Error& error) {
    return error;
  }
  return std::nullopt;
}

template <class Action>
bool fails_with(uir::ErrorKind kind, Action&& action) {
  const auto error = error_of(action);
  return error && error->kind() == kind;
}

inline std::string read_bytes(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void write_bytes(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::remove(path);  // overwriting in place would make some file systems flush to disk
  std::ofstream(path, std::ios::binary) << bytes;
}
