// The same of the modules that use LibTorch.
#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include "lib.h"
