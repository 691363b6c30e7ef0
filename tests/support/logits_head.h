// The usual class-sharded head, which holds whole rows of logits, and what is published of it: a check of the
// cost model, and what this library's head is compared with (docs/distributed.md, "Planning").
//
// Source of the runs: InsightFace, recognition/arcface_torch/README.md, "Speed Benchmark": eight V100,
// ResNet-50, 128 rows each, mixed precision, sgd. Of the whole head, the runs of 125,000 and 5.5 million
// classes give the two constants; everything else is predicted. Free of LibTorch.
#pragma once

#include <array>
#include <cstdint>

#include "uir/plan/cost_model.h"

namespace uir {

struct PublishedRun {
  int64_t classes;
  double sample_rate;
  double images_per_s;  // of all ranks
  double megabytes;     // of a rank, of 1,048,576 bytes
};
inline constexpr std::array<PublishedRun, 9> kPublishedRuns{{{125'000, 1, 4824, 5306},
                                                             {1'400'000, 1, 3043, 11178},
                                                             {5'500'000, 1, 1389, 32188},
                                                             {125'000, 0.1, 5004, 4868},
                                                             {1'400'000, 0.1, 4738, 6056},
                                                             {5'500'000, 0.1, 3975, 9854},
                                                             {8'000'000, 0.1, 3565, 12310},
                                                             {16'000'000, 0.1, 2679, 19950},
                                                             {29'000'000, 0.1, 1855, 32324}}};

// Buffers of the size of the logits of a rank that it holds at once.
inline constexpr double kLogitsBuffers = 8.74;
// Operations/s, element-wise passes over these buffers included.
inline constexpr double kLogitsHeadRate = 4.03e12;

// What a rank's part of the head takes: centers, gradient, momentum and logits of the classes that a step
// meets; with sampling these are copies, beside centers and momentum of all classes.
inline double logits_head_bytes(const TrainingPlan& plan) {
  const auto n = static_cast<double>(plan.classes_of_rank());
  const auto center = 4 * static_cast<double>(plan.network.embedding_size);
  const auto logits = kLogitsBuffers * 4 * static_cast<double>(plan.rows() * plan.ranks);
  const double of_all = plan.sample_rate == 1 ? 0 : 2 * center;
  return n * (of_all + plan.sample_rate * (3 * center + logits));
}

// 6 R n D operations on the classes that a step meets; drawing them is left out.
inline double logits_head_seconds(const TrainingPlan& plan) {
  const double met = plan.sample_rate * static_cast<double>(plan.classes_of_rank());
  const auto products = static_cast<double>(plan.rows() * plan.ranks * plan.network.embedding_size);
  return 6 * products * met / kLogitsHeadRate;
}

// The whole run: this head, and the backbone as the cost model has it, with one more copy of its gradients
// (DistributedDataParallel's buckets) and without what is assumed for context and libraries.
inline double logits_run_bytes(const TrainingPlan& plan) {
  TrainingPlan backbone = plan;
  backbone.data.classes = 0;
  double bytes = logits_head_bytes(plan) + 4 * static_cast<double>(plan.network.parameters());
  for (const Amount& part : memory_of_rank(backbone).device) {
    const bool counts =
        part.what.find("assumed") == std::string::npos && part.what.find("work space") == std::string::npos;
    if (counts) bytes += part.value;
  }
  return bytes;
}

}  // namespace uir
