// Features of anyone, one file a network, rows in the same order: which network is better, and is that
// decided?
//
// What they show is one list, a line a row: "image<TAB>person", "image person", or only an image whose folder
// is the person, or only a person. Measured are all pairs of the list, and open-set
// identification where some people have one image only; or given pairs (verification).
// Cost: the protocols'. Errors: kUsage for fewer than two files; kData naming file and line for a list that
// does not fit the features, for a line without a person; those of the protocols.
#pragma once

#include <string>
#include <vector>

#include "uir/base/file.h"
#include "uir/eval/pairs.h"

namespace uir {

struct Report;

struct FeatureComparison {
  std::vector<fs::path> features;  // .npy or challenge .bin; the first one is what others are compared with
  std::vector<std::string> names;  // of the networks; empty: of their files
  fs::path list;
  fs::path pairs;  // may be empty
  PairsFormat format = PairsFormat::kLfw;
  std::vector<double> far{1e-4, 1e-3, 1e-2};
  int threads = 0;
};

Report compare_features(const FeatureComparison& comparison);

}  // namespace uir
