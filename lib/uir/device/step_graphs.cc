#include "uir/device/step_graphs.h"

#include <vector>

#ifdef UIR_HAS_CUDA

#include <ATen/cuda/CUDAGraph.h>
#include <c10/core/Event.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>

#include "uir/device/compat.h"

#endif

namespace uir {
namespace {

class Rehearsal : public StepGraphs {
 public:
  void run(const Work& work) override { work(); }
  void record(const Work& work) override { recorded_.push_back(work); }
  void launch(size_t graph) override { recorded_.at(graph)(); }

 private:
  std::vector<Work> recorded_;
};

#ifdef UIR_HAS_CUDA

class CudaGraphs : public StepGraphs {
 public:
  explicit CudaGraphs(at::Device device)
      : device_(device),
        guard_(device.type()),
        side_(guard_.getStreamFromGlobalPool(device, /*isHighPriority=*/false)),
        before_(device.type()),
        after_(device.type()) {}

  // Both waits make it safe that memory of one stream is used, and given back, on the other.
  void run(const Work& work) override {
    const c10::Stream computing = guard_.getStream(device_);
    before_.record(computing);
    before_.block(side_);
    {
      const c10::StreamGuard on_side(side_);
      work();
    }
    after_.record(side_);
    after_.block(computing);
  }

  void record(const Work& work) override {
    c10::cuda::device_synchronize();
    // What run() needed lies in the cache, of which a graph's pool takes nothing.
    c10::cuda::CUDACachingAllocator::emptyCache();
    auto graph = std::make_unique<at::cuda::CUDAGraph>();
    const c10::StreamGuard on_side(side_);
    begin(*graph);
    try {
      work();
    } catch (...) {
      leave(*graph);
      throw;
    }
    graph->capture_end();
    graphs_.push_back(std::move(graph));
  }

  void launch(size_t graph) override { graphs_.at(graph)->replay(); }

 private:
  // Before 2.1 no thread of the process may do what a recording forbids; since, only this one may not: NCCL's
  // watchdog asks for events.
  void begin(at::cuda::CUDAGraph& graph) const {
    const auto pool = graphs_.empty() ? decltype(graph.pool()){0, 0} : graphs_.front()->pool();
#if UIR_TORCH_AT_LEAST(2, 1)
    graph.capture_begin(pool, cudaStreamCaptureModeThreadLocal);
#else
    graph.capture_begin(pool);
#endif
  }
  // The stream must not go on recording; why it does is known already.
  static void leave(at::cuda::CUDAGraph& graph) {
    try {
      graph.capture_end();
    } catch (const c10::Error&) {
    }
  }

  at::Device device_;
  c10::impl::VirtualGuardImpl guard_;
  c10::Stream side_;
  c10::Event before_, after_;
  std::vector<std::unique_ptr<at::cuda::CUDAGraph>> graphs_;
};

#endif

}  // namespace

std::unique_ptr<StepGraphs> make_step_graphs([[maybe_unused]] at::Device device) {
#ifdef UIR_HAS_CUDA
  if (device.is_cuda()) return std::make_unique<CudaGraphs>(device);
#endif
  return std::make_unique<Rehearsal>();
}

}  // namespace uir
