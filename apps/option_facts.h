// What CLI11 knows of the options of a program, as manual page and completion need it.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace uir {

// Those that help shows, in its order: of the command itself.
std::vector<const CLI::Option*> positionals_of(const CLI::App& command);
std::vector<const CLI::Option*> flags_of(const CLI::App& command);
std::vector<const CLI::App*> commands_of(const CLI::App& cli);

// "-h", "--help".
std::vector<std::string> names_of(const CLI::Option& option);
inline bool takes_value(const CLI::Option& option) { return option.get_items_expected_max() > 0; }
bool takes_number(const CLI::Option& option);
// Of one that takes one of several words; otherwise empty.
std::vector<std::string> choices_of(const CLI::Option& option);
// "160 to 16384"; empty if any number will do, or it takes none.
std::string range_of(const CLI::Option& option);

}  // namespace uir
