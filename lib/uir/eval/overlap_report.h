// What uir-index overlap found, for people (text, one HTML page) and for programs (JSON).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "uir/base/json.h"
#include "uir/eval/overlap.h"

namespace uir {

// An unlabeled image and what it matches best.
struct OverlapMatch {
  std::string item;
  std::string match;  // class or image
  double cosine = 0;
};

struct DuplicateCounts {
  double threshold = 0;
  int64_t groups = 0, images = 0, largest = 0;  // images: in groups, their first ones included
};

struct FilterCounts {
  std::optional<double> threshold, against_threshold;  // of class centers, of images
  int64_t matches = 0, duplicates = 0, left = 0;
};

struct SetOverlap {
  std::string set;
  int64_t images = 0;
  struct Target {
    std::string name;
    std::vector<int64_t> histogram;  // of the images' best cosines (cosine_histogram)
    std::vector<Consequence> table;
    std::vector<OverlapMatch> closest;
  };
  std::vector<Target> targets;  // the class centers first
  int64_t labeled_images = 0;
  std::vector<int64_t> own, other;  // histograms of LabeledScores
  std::optional<DuplicateCounts> duplicates;
  std::optional<FilterCounts> filter;
  std::vector<std::string> pictures;  // contact sheets, beside the report
};

Json to_json(const std::vector<SetOverlap>& sets);
std::string overlap_text(const std::vector<SetOverlap>& sets);
std::string overlap_page(const std::vector<SetOverlap>& sets);

}  // namespace uir
