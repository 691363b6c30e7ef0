// What a training step costs a rank: memory, bytes sent, operations, time; from the experiment alone.
//
// Shapes (as in head/): K ranks, C classes of which a rank owns n = ⌈C/K⌉, D embedding size, b rows of a
// rank and R = K b rows of all ranks in a micro-batch, P parameters, m states of the optimizer (1 sgd, 2
// adamw).
// Units: bytes, seconds, operations (two per multiply-add), all as float64: estimates are no counts.
// Source: the code that it describes (model/, head/, dist/gradient_reducer.h, train/); docs/distributed.md,
// "Planning", has the formulas, the fitted constants, what was measured, and the error.
// Cost: microseconds. Threads: pure functions. Free of LibTorch. Errors: kConfig for an unknown network.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "uir/experiment/experiment.h"
#include "uir/plan/network_facts.h"

namespace uir {

struct DataCounts {
  int64_t classes = 0;
  int64_t labeled_images = 0;
  int64_t unlabeled_images = 0;
};

// Everything that sizes a step. Before a call: ranks, accumulation, labeled and bucket_mb are positive, and
// sample_rate lies in (0, 1].
struct TrainingPlan {
  NetworkFacts network;
  DataCounts data;
  int64_t ranks = 1;
  bool cuda = false;  // one CUDA device a rank; otherwise CPUs
  // Of the global batch.
  int64_t labeled = 96, unlabeled = 32, accumulation = 1;
  int64_t epochs = 1;
  int64_t activation_bytes = 4;  // of an element: 4 or 2
  int64_t optimizer_states = 1;
  double sample_rate = 1;
  int64_t class_tile = 0;
  int64_t threads = 32;       // of a CPU rank in the head; at most so many work at once
  bool released = true;       // the form of the UIR loss that needs another pass over the classes
  bool trains_on_uir = true;  // its weight is not 0
  bool synchronized_norms = false;
  bool bf16_gradients = false;
  double bucket_mb = 25;
  bool graphs = false;  // of the network's passes: a pool of their own, gradients summed after them
  int64_t prefetch = 4;
  bool copies_checkpoints = false;  // writes them from a copy while training goes on

  int64_t micro_rows(int64_t global_rows) const;  // of a rank in a micro-batch, rounded up
  int64_t rows() const { return micro_rows(labeled) + micro_rows(unlabeled); }
  int64_t classes_of_rank() const { return (data.classes + ranks - 1) / ranks; }
  // Classes of a rank whose centers a step changes.
  int64_t touched_classes() const;
  int64_t steps_per_epoch() const { return data.labeled_images / labeled; }
};

// train.device: cpu plans for CPUs, anything else for CUDA devices. precision: auto is bf16 on CUDA devices
// and float32 on CPUs, where it may turn out to be bf16, which takes less.
TrainingPlan training_plan(const Experiment& experiment, const DataCounts& data, int64_t ranks);

// One line of a table; tables leave out amounts of 0.
struct Amount {
  std::string what;
  double value = 0;
};
double total(const std::vector<Amount>& amounts);

// Bytes. On CPUs everything stands in `device`.
struct MemoryEstimate {
  std::vector<Amount> device, host;
};
MemoryEstimate memory_of_rank(const TrainingPlan& plan);

// Bytes of a rank's class centers, their gradient and the optimizer's state of them.
double class_center_bytes(const TrainingPlan& plan);

// Bytes that a rank keeps of one image for backward.
double kept_bytes_of_image(const TrainingPlan& plan);

// Bytes that a rank sends in an optimizer step. Empty for one rank.
std::vector<Amount> bytes_sent_by_rank(const TrainingPlan& plan);

// Operations (two per multiply-add) of a rank in an optimizer step.
std::vector<Amount> operations_of_rank(const TrainingPlan& plan);

// What a rank sustains. No defaults that mean something: rates are measured, or assumed and said to be.
struct Rates {
  double backbone = 1e12;   // operations/s
  double head = 1e12;       // operations/s, element-wise work included
  double memory = 1e11;     // bytes/s, of the optimizer's pass over weights, gradients and states
  double bandwidth = 1e10;  // bytes/s that a rank sends
  double latency = 1e-5;    // s, of a collective
};

// Seconds of an optimizer step; the loader is assumed to keep up.
struct StepTime {
  double backbone = 0, head = 0, optimizer = 0;
  // Gradients travel during the backward pass, two thirds of the backbone's time, or with graphs after it:
  // here is what remains, and the head's and the batch norms' collectives, which nothing hides.
  double communication = 0;
  double total() const { return backbone + head + optimizer + communication; }
};
StepTime step_time(const TrainingPlan& plan, const Rates& rates);

}  // namespace uir
