// Finds what is wrong with the labels of a set (eval/label_noise.h), and writes it as lists for its source.
#pragma once

#include <string>

#include "uir/eval/label_noise.h"
#include "uir/experiment/experiment.h"

namespace uir {

struct CleanRequest {
  std::string model;  // of eval.models; empty: the only one, or this run
  std::string set;    // empty: the only labeled source
  NoiseThresholds thresholds;
  fs::path report;  // folder; empty: clean in the run folder
};

// Writes exclude_<set>.tsv and label_map_<set>.tsv, clean_<set>.html, .json, .txt and, where there is an
// index, contact sheets (unlike_, no_two_agree_, two_people_ and merged_<set>.png); returns the text. Errors: kUsage
// where the set is not told; kMissingInput for a set that was not extracted; those of EmbeddingSets and
// find_label_noise(); kStopped.
std::string run_clean(const Experiment& experiment, const CleanRequest& request);

}  // namespace uir
