// Finds unlabeled images that show people of the classes or of test sets, and near-duplicates among them; on
// request leaves them out of a copy of the index.
#pragma once

#include <string>
#include <vector>

#include "uir/eval/overlap_search.h"
#include "uir/experiment/experiment.h"

namespace uir {

struct OverlapRequest {
  std::string model;                   // of eval.models; empty: the only one, or this run
  std::vector<std::string> unlabeled;  // sets; empty: all sources with that role
  std::vector<std::string> labeled;    // sets; empty: held-out images of labeled sources, as far as extracted
  std::vector<std::string> against;    // further sets to look for, image by image
  std::string centers;                 // set of the class centers; empty: class_centers
  OverlapRules rules;
  fs::path calibration;      // its threshold for the class centers takes the place of rules.threshold
  double false_alarms = 10;  // per 1,000 strangers
  fs::path out;              // index without what is removed; empty: none
  fs::path report;           // folder; empty: overlap in the run folder
};

// Writes overlap.html, overlap.json, overlap.txt and, where there is an index, contact sheets
// (closest_<set>.png, duplicates_<set>.png); with a threshold or removed duplicates excluded_<set>.tsv for a
// source's `exclude`; returns the text. Interrupted searches continue when it runs again (kStopped). Errors:
// kUsage for a request that contradicts itself or an --out that exists; kMissingInput for sets that were not
// extracted; those of EmbeddingSets and OverlapSearch.
std::string run_overlap(const Experiment& experiment, const OverlapRequest& request);

}  // namespace uir
