// What the log of a training run says (log.jsonl, docs/formats.md): its numbers over the steps, and its
// verifications.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "uir/base/file.h"
#include "uir/base/json.h"
#include "uir/report/svg_plot.h"

namespace uir {

// One number over the steps, in the order of the log: x is the step, y the value, which is finite.
using StepSeries = std::vector<PlotPoint>;

struct TrainingLog {
  std::map<std::string, StepSeries> numbers;  // of the steps, by their names in the log
  Json last;                                  // line of a step; null where there is none
  std::vector<Json> verifications;            // their lines: objects with "step" and "verification"

  // Empty where the log has no such number.
  const StepSeries& series(const std::string& name) const;
  // The value of each verification over the steps, by the protocol's name; with the number's where that is
  // not the accuracy.
  std::map<std::string, StepSeries> verified() const;
};

// Which number a verification's line is about.
std::string metric_of(const Json& verification);

// Reads whole lines only, as the last one may be under way, and passes over what is no step. Memory: 16 bytes
// per number of a step; no lines are kept but those of verifications, as runs have millions of steps.
// kMissingInput: there is no log.
TrainingLog read_training_log(const fs::path& path);

// At most `most` points (>= 1): each the mean of as many steps, at the last of them.
StepSeries thinned(const StepSeries& series, size_t most);

// Of the values; not a number where there are none.
double median_of(const StepSeries& series);

}  // namespace uir
