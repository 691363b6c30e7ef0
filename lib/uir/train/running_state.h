// What forward passes change besides gradients: running statistics of batch norms and of the margin.
//
// Kept to undo a step that turns out not to be finite, and averaged over the ranks where batch norms are
// local.
// Cost: a copy of the statistics per step; average(): one all-reduce. Threads: one at a time.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "uir/dist/communicator.h"
#include "uir/head/head.h"
#include "uir/model/backbone.h"

namespace uir {

class RunningState {
 public:
  RunningState(const Backbone& backbone, Head& head);
  void save();
  void restore();
  // Counters are the same on all ranks already.
  void average(const Communicator& communicator);

 private:
  std::vector<at::Tensor> tensors_, saved_;
};

}  // namespace uir
