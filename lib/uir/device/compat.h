// Which LibTorch this is compiled against. What its versions call differently stands behind this macro in
// device/ and, for c10d, in dist/compat.h; which of its operators is slow, in model/layers.cc.
#pragma once

#include <torch/version.h>

#define UIR_TORCH_AT_LEAST(major, minor) \
  (TORCH_VERSION_MAJOR > (major) || (TORCH_VERSION_MAJOR == (major) && TORCH_VERSION_MINOR >= (minor)))
