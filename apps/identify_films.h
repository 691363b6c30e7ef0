// The part of uir-identify that looks at films, photos and faces.
#pragma once

#include <CLI/CLI.hpp>

#include "uir/identify/request.h"
#include "uir/pipeline/run_identify.h"

namespace uir {

// What the command line asks for: films to analyse, films of strangers to calibrate with, a face to find.
struct FilmRequests {
  IdentifyRequest films, strangers;
  FindRequest find;
};

// The flags of the analysis and the commands `calibrate` and `find`, also for the help of the whole program.
void add_film_flags(CLI::App& cli, FilmRequests& requests);

// Parses the whole command line, which is no question to a timeline and no correction of one; the worker does
// it. Returns the exit code.
int identify_films(int argc, char** argv);

}  // namespace uir
