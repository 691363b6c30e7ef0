// The part of uir-identify that looks at films, photos and faces.
#pragma once

#include <CLI/CLI.hpp>

#include "uir/identify/request.h"

namespace uir {

// The flags of the analysis, also for the help of the whole program.
void add_identify_flags(CLI::App& cli, IdentifyRequest& request);

// Parses the whole command line, which is no question to a timeline and no correction of one; the worker does
// it. Returns the exit code.
int identify_films(int argc, char** argv);

}  // namespace uir
