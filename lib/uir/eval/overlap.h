// Do unlabeled images show people of the labeled classes (or of a test set)? The best match of each, and what
// a threshold on its cosine would do.
//
// For a threshold t, of n unlabeled images with best cosines b_i over all classes:
//   removed   how many have b_i >= t
//   caught    share of labeled images (best: held out from training) whose cosine with their own class's
//             center is >= t: how many images of people that are in a class such a threshold finds
//   wrong     share of the same images whose best cosine with any other class's center is >= t: how many
//             images of people in no class it removes as well; wrong · n of them are expected where all are
//             strangers
// Both shares are NaN without labeled images.
// Exact: scores of canonical vectors in float64 (top_k.h). Errors: those of scan_pairs(); kData for labels
// beyond the centers.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "uir/search/top_k.h"

namespace uir {

// [M]: of each row the best column, −1 where none is wanted.
std::vector<Neighbour> best_matches(const UnitRows& rows, const UnitRows& columns,
                                    const DividedScanOptions& options, const PairWanted& wanted = nullptr);

// Of labeled images; those without a label are left out.
struct LabeledScores {
  std::vector<double> own;    // cosine with the center of the image's class
  std::vector<double> other;  // the best one with any other center; −1 if there is no other
};
LabeledScores labeled_scores(const UnitRows& images, std::span<const int64_t> labels, const UnitRows& centers,
                             const DividedScanOptions& options);

struct Consequence {
  double threshold = 0;
  int64_t removed = 0;
  double caught = 0, wrong = 0;  // shares
};
// One per threshold.
std::vector<Consequence> consequences(std::span<const double> best, const LabeledScores& labeled,
                                      std::span<const double> thresholds);

// Counts of equal bins over [−1, 1]; bin i holds [−1 + 2i/bins, −1 + 2(i + 1)/bins), the last one its end as
// well.
inline constexpr size_t kOverlapBins = 40;
std::vector<int64_t> cosine_histogram(std::span<const double> cosines);

}  // namespace uir
