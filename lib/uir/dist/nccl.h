// NCCL, where LibTorch has it: CUDA builds from 2.4 on (CMake defines UIR_HAS_NCCL where nccl.h is found as
// well).
//
// Compiled and linked against LibTorch 2.6 with CUDA 12.4; it has yet to run on devices.
// A group connects at its first collective. One device carries one rank of a group: NCCL refuses a second
// one. It notices no rank that is lost or hangs, so somebody else must, and abort the group (rank_watch.h,
// work_limit.h). After the timeout LibTorch's watchdog ends the process.
// Errors: make_nccl_group throws kInternal in a build without NCCL, and kConfig where LibTorch has another
// NCCL than the header that this was built with. Closing and aborting throw what CUDA reports.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "uir/dist/compat.h"

namespace uir {

bool has_nccl();
// Tells CUDA devices of all machines apart; "" in a build without NCCL.
std::string device_identity(at::Device device);
c10::intrusive_ptr<CollectiveBackend> make_nccl_group(const c10::intrusive_ptr<c10d::Store>& store,
                                                      int64_t rank, int64_t size,
                                                      std::chrono::milliseconds timeout);
// At the end, when all ranks are done with it.
void close_nccl_group(CollectiveBackend& group);
// Ends its collectives here, whatever the other ranks do.
void abort_nccl_group(CollectiveBackend& group);

}  // namespace uir
