// Completion for Bash, made from what describes a program's options to the command line: commands, options,
// the words that an option takes, files, and for --set the options of an experiment.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "uir/config/option_names.h"

namespace uir {

// options: what --set takes. A program whose commands are programs (uir) hands over to their completions,
// which lie beside its own.
std::string bash_completion(const CLI::App& cli, const std::vector<OptionName>& options);

}  // namespace uir
