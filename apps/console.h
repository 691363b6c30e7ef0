// What every program does on the console, without LibTorch: the log on standard error, and the only place
// where an error becomes a message and an exit code (docs/errors.md).
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <string>

#include "uir/base/error.h"

namespace uir {

// "uir-train 0.1.0"
std::string version_text(const std::string& program);

// The log goes to standard error. Of several ranks the first prints all, the others warnings and errors.
void log_to_console(int64_t rank);

// A full disk or a closed pipe must surface as a failed write, not as a signal.
void ignore_write_signals();

// Runs the body, which parses with `cli` and does the rest, with the log on the console; returns its exit
// code, or that of the error that it throws.
int run_program(CLI::App& cli, const std::string& program, const std::function<int()>& body);

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
