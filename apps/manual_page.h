// The manual page of a program, in roff, made from what describes its options to the command line.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace uir {

// Its date is today's, or SOURCE_DATE_EPOCH's.
std::string manual_page(const CLI::App& cli);

}  // namespace uir
