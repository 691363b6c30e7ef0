// Finds the thresholds of a network from embeddings of known people and strangers (eval/calibrate.h).
#pragma once

#include <string>
#include <vector>

#include "uir/eval/calibrate.h"
#include "uir/experiment/experiment.h"

namespace uir {

struct CalibrationRequest {
  std::string model;                   // of eval.models; empty: the only one, or this run
  std::string known, gallery;          // sets; no gallery: the known people themselves
  std::vector<std::string> strangers;  // sets
  CalibrationRates rates;
  fs::path out;  // folder; empty: calibration in the run folder
};

// Writes calibration.json (read_calibration), calibration.txt and calibration.html; returns the text. Errors:
// kUsage for several processes; those of EmbeddingSets and calibrate(); kStopped.
std::string run_calibrate(const Experiment& experiment, const CalibrationRequest& request);

}  // namespace uir
