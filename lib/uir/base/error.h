// The library's one exception type. The library never prints, exits or aborts: it throws Error, and
// apps/app.cc turns the kind into the process's exit code (sysexits.h; documented in docs/errors.md).
//
// A message says what, where, what was found, what was expected and the remedy:
//   faces.idx: record 1043: label 93431 is outside [0, 93431); rebuild with uir-index
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace uir {

enum class ErrorKind {
  kUsage = 64,         // wrong command line
  kData = 65,          // malformed or inconsistent data, checkpoints and indices included
  kMissingInput = 66,  // a file that should be read does not exist or cannot be opened
  kRankLost = 69,      // a device or a rank is lost
  kInternal = 70,      // a bug of ours
  kCannotCreate = 73,  // an output cannot be created
  kIo = 74,            // reading or writing failed: disk full, device error
  kStopped = 75,       // stopped on request; the run can be resumed
  kConfig = 78,        // the config file is wrong
};

class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const { return kind_; }
  int exit_code() const { return static_cast<int>(kind_); }
  // The same error with the place it happened in front: "place: message".
  Error at(std::string_view place) const { return {kind_, std::string(place) + ": " + what()}; }

 private:
  ErrorKind kind_;
};

// All parts streamed into one string: concat("record ", 7).
template <class... Parts>
std::string concat(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

// Throws Error(kind) with the concatenated parts as its message.
template <class... Parts>
[[noreturn]] void fail(ErrorKind kind, const Parts&... parts) {
  throw Error(kind, concat(parts...));
}

// fail(kInternal) unless the condition holds: for our own invariants, never for a user's input.
inline void ensure(bool condition, std::string_view invariant) {
  if (!condition)
    fail(ErrorKind::kInternal, "internal error: ", invariant, " does not hold; please report this");
}

}  // namespace uir
