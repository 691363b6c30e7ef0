// NCCL, where LibTorch has it: CUDA builds from 2.4 on (CMake defines UIR_HAS_NCCL where nccl.h is found as well).
//
// Compiled and linked against LibTorch 2.6 with CUDA 12.4; it has yet to run on devices.
// A group connects at its first collective. One device carries one rank of a group: NCCL refuses a second one. A rank that is lost
// is noticed by the timeout alone, and LibTorch's watchdog then ends the process; launchers are faster.
// Errors: make_nccl_group throws kInternal in a build without NCCL.
#pragma once

#include <chrono>
#include <cstdint>

#include "uir/dist/compat.h"

namespace uir {

bool has_nccl();
c10::intrusive_ptr<CollectiveBackend> make_nccl_group(const c10::intrusive_ptr<c10d::Store>& store,
                                                      int64_t rank, int64_t size,
                                                      std::chrono::milliseconds timeout);
// At the end, when all ranks are done with it.
void close_nccl_group(CollectiveBackend& group);
// Ends its collectives here, whatever the other ranks do.
void abort_nccl_group(CollectiveBackend& group);

}  // namespace uir
