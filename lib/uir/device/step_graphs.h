// Work of a training step that is recorded once and then launched again and again: on CUDA devices as CUDA
// graphs, which spare the host the calls of hundreds of operators.
//
// A recorded graph is a list of kernels with the addresses that they read and write. So its work must queue
// the same operators on the same memory every time, and neither read back nor draw random numbers; what the
// host does beside that happens while it is recorded, not when it is launched.
// The graphs of an object share one pool of memory, from which nothing else gets any: they are launched in
// the order in which they were recorded.
// Elsewhere than on CUDA devices, and in builds without CUDA, a rehearsal: record() only keeps the work, and
// launch() runs it.
// Source: PyTorch's torch/cuda/graphs.py and its notes on CUDA graphs (warm-up on the stream that records,
// the pool, the cache that is emptied before). Compiled for CUDA; no device has run it yet.
// Cost: run(): two waits of streams for each other. record(): waits for the device, and gives memory that
// LibTorch has cached back to it. Errors: c10::Error, of the work or if it cannot be recorded.
// Threads: one at a time; other threads may use the device meanwhile (before LibTorch 2.1: not while
// recording).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <functional>
#include <memory>

namespace uir {

class StepGraphs {
 public:
  using Work = std::function<void()>;

  virtual ~StepGraphs() = default;
  // Runs the work as it is, in the order of what is queued before and after, and where record() works:
  // libraries choose algorithms and get their memory there. Several times before it is recorded.
  virtual void run(const Work& work) = 0;
  // Records it as the next graph. Nothing of it reaches the device yet.
  virtual void record(const Work& work) = 0;
  // Queues the graph of this number: the first that was recorded is 0.
  virtual void launch(size_t graph) = 0;
};

std::unique_ptr<StepGraphs> make_step_graphs(at::Device device);

}  // namespace uir
