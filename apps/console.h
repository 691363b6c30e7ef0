// What every program does on the console, without LibTorch: the log on standard error, in words or as JSON,
// the flags that all share, and the only place where an error becomes a message and an exit code
// (docs/errors.md).
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "uir/base/error.h"

namespace uir {

struct OptionName;

inline constexpr const char* kJsonFlag = "--json";

// "uir-train 0.1.0"
std::string version_text(const std::string& program);

// Messages and progress of this process, one of several ranks: the first shows all, the others warnings and
// errors. Launched by our own launcher, it leaves the last line of --json to that.
void log_as_rank(int64_t rank, bool launched);

// A full disk or a closed pipe must surface as a failed write, not as a signal.
void ignore_write_signals();

// Parses the command line and runs the body; returns its exit code, or that of the error that it throws. The
// program is called what `cli` is. All programs share --version, --json and two hidden flags, which print the
// manual page and Bash's completion; `options`: what --set takes, if the program has it.
int run_program(CLI::App& cli, int argc, char** argv, const std::function<int()>& body,
                std::vector<OptionName> (*options)() = nullptr);

// Whether an argument is one of the flags of run_program() that may stand in front of a command.
bool is_shared_flag(std::string_view argument);

// A number between two others; CLI::Range lets through what is none.
inline CLI::Validator number_between(double low, double high) {
  return {[=](std::string& text) {
            const CLI::Range range(low, high);
            const bool number = text.find_first_of("nN") == std::string::npos;  // nan, -nan, inf
            return number ? range(text) : concat("Value ", text, " not in range ", low, " to ", high);
          },
          concat("FLOAT in [", low, " - ", high, "]"), "number_between"};
}

}  // namespace uir
