// What forward passes change besides gradients: running statistics of batch norms and of the margin, and
// counters.
//
// Kept to undo a step that turns out not to be finite, and averaged over the ranks where batch norms are
// local. The statistics lie in one block of memory for each type, of which the network's tensors become
// views.
// Cost: a few copies of the statistics per step; average(): one all-reduce for each type. Nothing waits for
// the device. Threads: one at a time.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "uir/dist/communicator.h"
#include "uir/head/head.h"
#include "uir/model/backbone.h"

namespace uir {

class RunningState {
 public:
  // The network stays where it is from now on.
  RunningState(const Backbone& backbone, Head& head);
  void save();
  // The statistics that were saved, if skip (bool scalar on their device) is true.
  void restore(const at::Tensor& skip);
  // The counters without these forward passes, which are done later than the statistics: when the host knows.
  void forget(int64_t passes);
  // Collective. Counters are the same on all ranks already.
  void average(const Communicator& communicator);

 private:
  struct Block {
    at::Tensor values, saved;
  };
  std::vector<Block> statistics_;
  std::vector<at::Tensor> counters_;
};

}  // namespace uir
