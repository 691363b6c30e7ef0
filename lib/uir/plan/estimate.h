// `uir-train --estimate`: what an experiment would take on machines that are only described, as text.
//
// Cost: milliseconds; nothing is started, read or written. Threads: pure functions. Free of LibTorch.
// Errors: kUsage for a description that is none; kConfig for an unknown network.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "uir/plan/cost_model.h"

namespace uir {

// "80GB": one rank; "8x80GB": ranks x memory of each; "2x8x80GB": machines x ranks on each x memory of each.
struct Cluster {
  int64_t machines = 1, ranks_per_machine = 1;
  double memory_bytes = 0;  // of a rank: of its CUDA device, or its share of the machine's memory
  int64_t ranks() const { return machines * ranks_per_machine; }
};
// Units: GB, TB, MB (powers of 1000), GiB, TiB, MiB (of 1024). kUsage naming the forms otherwise.
Cluster parse_cluster(std::string_view text);

// Numbers in place of the index's; 0: those of the index.
struct GivenCounts {
  int64_t classes = 0, images = 0;
};
struct PlannedData {
  DataCounts counts;
  std::string from;  // as the report says it: "(index)"
};
// Asks the index only if a number is not given; then its unlabeled images count as well.
PlannedData planned_data(const GivenCounts& given, const std::function<DataCounts()>& index);

// Memory of a rank and whether it fits, bytes sent, steps, operations, and what to change. Ends with a
// newline. Throws kConfig for data without classes.
std::string estimate_report(const Experiment& experiment, const PlannedData& data, const Cluster& cluster);

// Before a training starts on a device with so much free memory (bytes): "" if the estimate fits, a warning
// with what would help if it does not. kConfig if the class centers, their gradient and their optimizer
// state alone are larger; where `most_bytes`, all that could ever be free, is known: if the estimate, its
// error taken off, is larger than that.
std::string memory_warning(const TrainingPlan& plan, const std::string& device, double free_bytes,
                           std::optional<double> most_bytes = std::nullopt);

}  // namespace uir
