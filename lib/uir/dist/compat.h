// c10d with Gloo as LibTorch 1.13 and 2.x install it: the one place that includes it. What this module calls is the
// same in both; ProcessGroupGloo derives from ProcessGroup in 1.13 and from Backend in 2.x.
#pragma once

#ifndef USE_C10D_GLOO  // LibTorch's own build defines it; the installed header is empty without it
#define USE_C10D_GLOO
#endif

#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>
