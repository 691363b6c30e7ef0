#include "uir/dist/nccl.h"

#include "uir/base/error.h"

#ifdef UIR_HAS_NCCL

#ifndef USE_C10D_NCCL  // as USE_C10D_GLOO in compat.h
#define USE_C10D_NCCL
#endif
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

namespace uir {
namespace {

c10d::ProcessGroupNCCL& nccl(CollectiveBackend& group) { return static_cast<c10d::ProcessGroupNCCL&>(group); }

}  // namespace

bool has_nccl() { return true; }

c10::intrusive_ptr<CollectiveBackend> make_nccl_group(const c10::intrusive_ptr<c10d::Store>& store,
                                                      int64_t rank, int64_t size,
                                                      std::chrono::milliseconds timeout) {
  const auto options = c10d::ProcessGroupNCCL::Options::create();
  options->timeout = timeout;
  return c10::make_intrusive<c10d::ProcessGroupNCCL>(store, static_cast<int>(rank), static_cast<int>(size),
                                                     options);
}

void close_nccl_group(CollectiveBackend& group) { nccl(group).shutdown(); }
void abort_nccl_group(CollectiveBackend& group) { nccl(group).abort(); }

}  // namespace uir

#else

namespace uir {

bool has_nccl() { return false; }

c10::intrusive_ptr<CollectiveBackend> make_nccl_group(const c10::intrusive_ptr<c10d::Store>&, int64_t,
                                                      int64_t, std::chrono::milliseconds) {
  fail(ErrorKind::kInternal, "this build has no NCCL");
}
void close_nccl_group(CollectiveBackend&) {}
void abort_nccl_group(CollectiveBackend&) {}

}  // namespace uir

#endif
