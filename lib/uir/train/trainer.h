// The training loop: fetch, forward, backward, step, log, verify, save.
//
// One optimizer step sees `accumulation` micro-batches; labeled and unlabeled rows go through the network in
// one forward pass. Non-finite steps change nothing (weights, momentum, running statistics), are counted and
// logged with their rows, and end the run after TrainConfig::max_nonfinite_steps in a row.
// On a device a step's numbers are read when the next one is queued: log and counters are one step late
// there, but never behind a checkpoint, a verification or a stop. (float16 waits for each step: the next
// one's loss scale depends on it.)
// Everything random is a function of (seed, epoch, row), so a checkpoint holds only tensors and the step, and
// a resumed run continues bit for bit with the same number of threads.
// Several ranks: each has its part of every global batch and of the classes; losses, the gradient's norm and
// with them every decision (skip, loss scale, stop) are the same on all ranks in the same step. The gradients
// of the backbone are summed by GradientReducer; the running statistics of local batch norms are averaged
// over the ranks in every step, so replicas stay equal. Checkpoints are written by all ranks together, while
// training goes on (BackgroundWriter); a failure to write one ends the run at the next step boundary. Rank 0
// alone logs and marks the best.
// Errors: kStopped after a stop request, with everything saved; kData for non-finite runs and damaged data.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "uir/base/file.h"
#include "uir/base/json.h"
#include "uir/checkpoint/checkpoint.h"
#include "uir/data/config.h"
#include "uir/data/index.h"
#include "uir/dist/communicator.h"
#include "uir/head/head.h"
#include "uir/model/backbone.h"
#include "uir/train/config.h"
#include "uir/train/verification.h"

namespace uir {

// What a run is made of. backbone and head are on `device`, the head is sharded over the communicator's
// ranks; every rank gives the same but for its rank.
struct TrainerParts {
  TrainConfig config;
  DataConfig data;
  UirConfig uir;
  double margin_warmup_epochs = 0;
  Index index;
  std::shared_ptr<Backbone> backbone;
  std::shared_ptr<Head> head;
  std::shared_ptr<const Communicator> communicator = std::make_shared<Communicator>();
  at::Device device = at::kCPU;
  at::ScalarType pixel_type = at::kFloat;
  fs::path run_folder, checkpoints_folder;
  // What a checkpoint says besides tensors and step.
  std::string resolved_config;
  Json model_config;
  VerifyFunction verify;          // may be empty; called on every rank
  std::string best_by;            // protocol whose value picks the best checkpoint; empty: none is marked
  std::string selection_warning;  // about that choice, for every checkpoint; empty: there is none
  std::function<bool()> stop_requested;  // polled at every step boundary
  int64_t stop_after_step = 0;           // 0: run to the end
  double stop_grace_s = 0;               // of the launcher (ranks/world.h); 0: it waits for ever
};

class Trainer {
 public:
  explicit Trainer(TrainerParts parts);
  ~Trainer();

  int64_t total_steps() const;
  int64_t num_ranks() const;
  // Continues from a checkpoint, before run(): weights, optimizer, loss scale and counters become the
  // checkpoint's, whatever number of ranks wrote it. The caller has checked that it belongs to this
  // experiment; kData if network or optimizer are others.
  void resume(const Checkpoint& checkpoint);
  // From the current step to the last one, once; every rank calls it. At its end and after kStopped the state
  // is saved; after any other error the newest checkpoint that was published is what there is to resume from.
  void run();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace uir
