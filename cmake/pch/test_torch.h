// The same of tests that use LibTorch, which comes before Catch2 (tests/support/catch.h).
#include <ATen/ATen.h>
#include <c10/util/Logging.h>
#include <torch/nn/module.h>

#include "lib_torch.h"
//
#include "../../tests/support/catch.h"
