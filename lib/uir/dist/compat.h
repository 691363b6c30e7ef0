// c10d with Gloo, for LibTorch 1.13 and 2.x: the one place that knows their differences.
#pragma once

#ifndef USE_C10D_GLOO  // LibTorch's own build defines it; its installed headers hide ProcessGroupGloo without it
#define USE_C10D_GLOO
#endif

#include <torch/version.h>

#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

#if TORCH_VERSION_MAJOR >= 2
#include <torch/csrc/distributed/c10d/Backend.hpp>
#else
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#endif

namespace uir::dist_compat {

// What ProcessGroupGloo derives from and what its collectives return.
#if TORCH_VERSION_MAJOR >= 2
using ProcessGroup = c10d::Backend;
#else
using ProcessGroup = c10d::ProcessGroup;
#endif
using Work = decltype(std::declval<ProcessGroup&>().barrier());

}  // namespace uir::dist_compat
