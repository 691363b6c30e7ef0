// The same of the modules that use LibTorch.
#include <ATen/core/Tensor.h>

#include "lib.h"
