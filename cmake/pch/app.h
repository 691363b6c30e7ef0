// What the programs include.
#include <CLI/CLI.hpp>

#include "lib.h"
