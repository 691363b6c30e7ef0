// Data-parallel gradients: c10d's Reducer, the engine below PyTorch's DistributedDataParallel, sums them over
// the ranks in buckets while the backward pass still computes the next ones.
//
// Departures from DDP: gradients are summed, not averaged (the head's losses are means over the rows of all
// ranks already), and buckets follow the reverse order of the parameters from the first step on instead of
// being rebuilt after it, so that a resumed run adds in the same order as an undisturbed one.
// Cost: one all-reduce of all gradients per call with Sync::kReduce, overlapping the backward pass;
// compressed, NCCL sums half the bytes, while over Gloo every rank sends its gradients to every other one in
// bf16: half the bytes for two ranks, as many for four. Memory: the buckets are the gradients. Collectives:
// those, and one broadcast when it is made.
// Errors: kRankLost from a lost rank. Threads: one at a time.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "uir/dist/communicator.h"

namespace uir {

struct ReducerOptions {
  double bucket_mb = 25;
  bool compress_bf16 = false;  // gradients travel as bf16; summed in it by NCCL, else in their own type
  // While backward still computes. False: after it, which then runs without hooks of the Reducer and can be
  // recorded (device/step_graphs.h); a copy of one bucket more.
  bool overlaps = true;
};

class GradientReducer {
 public:
  // The same parameters in the same order on every rank; all of them take part in every backward pass.
  GradientReducer(const std::vector<at::Tensor>& parameters, std::shared_ptr<const Communicator> communicator,
                  const ReducerOptions& options = {});
  ~GradientReducer();

  enum class Sync { kAccumulate, kReduce };
  // Runs a backward pass that adds to the parameters' gradients. kReduce: afterwards they are the sums over
  // all ranks of what was accumulated since they were zeroed (in place). All ranks call it alike.
  void run(Sync sync, const std::function<void()>& backward);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;  // none in a world of one
};

}  // namespace uir
