// Catch2 2.x only: the test programs' main, compiled once for all of them.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
