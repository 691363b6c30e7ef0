// Catches uir::Error of a call, so that a test can look at its kind and its message.
#pragma once

#include <optional>

#include "uir/base/error.h"

template <class F>
std::optional<uir::Error> error_of(F&& f) {
  try {
    f();
  } catch (const uir::Error& e) {
    return e;
  }
  return std::nullopt;
}

// The kind of error that the call throws; none if it throws none.
template <class F>
std::optional<uir::ErrorKind> kind_of(F&& f) {
  const auto error = error_of(f);
  return error ? std::optional(error->kind()) : std::nullopt;
}

template <class F>
bool fails_with(uir::ErrorKind kind, F&& f) {
  return kind_of(f) == kind;
}
