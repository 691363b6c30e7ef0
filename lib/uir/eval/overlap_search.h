// What uir-index overlap finds in embeddings: the best matches of unlabeled images with the labeled classes
// and with further sets, near-duplicates among them, and which images the rules leave out.
//
// Targets are what images are compared with: the class centers first, then sets of images. An image is left
// out for the first target whose threshold its best cosine reaches; else, on request, as a near-duplicate of
// an earlier image of its set. overlap.h has the measures.
// Cost: one scan (search/pair_scan.h) per set and target, one per set of labeled images, and half a scan of a
// set with itself for near-duplicates. Memory: 16 bytes per image and target beside the scans' own.
// Errors: those of overlap.h and scan_pairs(), with the set's name where labels do not fit the centers.
// Threads: one; scans run on those of their resources.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "uir/base/file.h"
#include "uir/eval/embedding_sets.h"
#include "uir/eval/overlap.h"
#include "uir/store/embedding_store.h"

namespace uir {

// How many matches, and groups of near-duplicates, are shown.
inline constexpr size_t kShownOverlaps = 50;

struct OverlapRules {
  std::optional<double> threshold;          // images whose best cosine with a class center reaches it go
  std::optional<double> against_threshold;  // or that with an image of the further sets
  std::optional<double> duplicates;         // near-duplicates are looked for from this cosine on
  bool remove_duplicates = false;           // all but the first of each group go; needs `duplicates`

  bool remove_images() const { return threshold || against_threshold || remove_duplicates; }
};

// An unlabeled image and what it matches best.
struct OverlapMatch {
  std::string item;
  std::string match;  // class or image
  double cosine = 0;
  int64_t row = -1, column = -1;  // of the two in their stores
};

struct DuplicateCounts {
  double threshold = 0;
  int64_t groups = 0, images = 0, largest = 0;  // images: in groups, their first ones included
};

struct FilterCounts {
  std::optional<double> threshold, against_threshold;  // of class centers, of images
  int64_t matches = 0, duplicates = 0, left = 0;
};

// What was found in one set of unlabeled images.
struct SetOverlap {
  std::string set;
  int64_t images = 0;
  struct Target {
    std::string name;
    std::vector<int64_t> histogram;  // of the images' best cosines (cosine_histogram)
    std::vector<Consequence> table;
    std::vector<OverlapMatch> closest;  // best first, at most kShownOverlaps
  };
  std::vector<Target> targets;  // the class centers first
  int64_t labeled_images = 0;
  std::vector<int64_t> own, other;  // histograms of LabeledScores
  std::optional<DuplicateCounts> duplicates;
  struct DuplicatePair {
    int64_t first = 0, other = 0;  // rows of the set
  };
  std::vector<DuplicatePair> duplicate_pairs;  // one of each group, at most kShownOverlaps
  std::optional<FilterCounts> filter;          // with rules that remove images
  std::vector<int64_t> removed;                // rows of the set, ascending
  std::string removed_list;  // a line for each, as a source's `exclude` takes them: image, why, cosine, match
  std::vector<std::string> pictures;  // beside the report
};

// A cosine as lists and captions have it: "0.753".
std::string score_text(double cosine);

class OverlapSearch {
 public:
  // Resources and stop are those of `scan`; its state files lie in the folder `states`. At least one target.
  // kData for targets of different dimensions.
  OverlapSearch(OverlapRules rules, std::vector<NamedStore> targets, DividedScanOptions scan,
                fs::path states);

  // kData for embeddings of another dimension than the class centers.
  void check_dim(const NamedStore& set) const;
  // Adds labeled images to those that tell what a threshold does: before search().
  void add_labeled(const NamedStore& set);
  SetOverlap search(const NamedStore& set);

  // Files that continue interrupted scans; the caller's to remove once what was found is safe.
  const std::vector<fs::path>& states() const { return states_; }

 private:
  // Of each image of a set the best match with each target, in the order of these.
  using Matches = std::vector<std::vector<Neighbour>>;

  DividedScanOptions options(const std::string& what, const std::string& state);
  std::vector<double> thresholds() const;
  SetOverlap::Target describe(size_t target, const std::vector<Neighbour>& best,
                              const EmbeddingStore& store) const;
  void count_duplicates(const std::vector<int64_t>& first, SetOverlap& result) const;
  void remove(const Matches& matches, const std::vector<int64_t>& first, const EmbeddingStore& store,
              SetOverlap& result) const;
  std::optional<size_t> target_reached(const Matches& matches, int64_t image) const;
  std::string match_name(size_t target, const Neighbour& match) const;

  const OverlapRules rules_;
  const std::vector<NamedStore> targets_;
  const DividedScanOptions scan_;
  const fs::path folder_;
  LabeledScores labeled_;
  std::vector<fs::path> states_;
};

}  // namespace uir
