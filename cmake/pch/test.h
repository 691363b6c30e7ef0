// The same of tests.
#include "lib.h"
//
#include "../../tests/support/catch.h"
