#include "uir/eval/overlap.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "uir/base/error.h"

namespace uir {
namespace {

int64_t count_from(std::span<const double> sorted, double threshold) {
  return sorted.end() - std::ranges::lower_bound(sorted, threshold);
}

double share_from(std::span<const double> sorted, double threshold) {
  if (sorted.empty()) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(count_from(sorted, threshold)) / static_cast<double>(sorted.size());
}

std::vector<double> sorted_copy(std::span<const double> values) {
  std::vector<double> sorted(values.begin(), values.end());
  std::ranges::sort(sorted);
  return sorted;
}

}  // namespace

std::vector<Neighbour> best_matches(const UnitRows& rows, const UnitRows& columns,
                                    const DividedScanOptions& options, const PairWanted& wanted) {
  TopKSearch search(rows.size(), 1, options.what, wanted);
  scan_pairs(rows, columns, PairsOf::kRowsAndColumns, search, options);
  std::vector<Neighbour> best(static_cast<size_t>(rows.size()), Neighbour{-1, -1});
  for (int64_t i = 0; i < rows.size(); ++i) {
    const auto found = search.row(i);
    if (!found.empty()) best[static_cast<size_t>(i)] = found.front();
  }
  return best;
}

LabeledScores labeled_scores(const UnitRows& images, std::span<const int64_t> labels, const UnitRows& centers,
                             const DividedScanOptions& options) {
  std::vector<int64_t> rows, classes;
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0) continue;
    if (labels[i] >= centers.size()) {
      fail(ErrorKind::kData, "a labeled image has class ", labels[i], ", but there are ", centers.size(),
           " class centers; they are of another data set");
    }
    rows.push_back(static_cast<int64_t>(i));
    classes.push_back(labels[i]);
  }
  LabeledScores result;
  if (rows.empty()) return result;
  const UnitRows labeled = images.subset(rows);
  std::vector<float> image(static_cast<size_t>(images.dim())), center(image.size());
  for (int64_t i = 0; i < labeled.size(); ++i) {
    labeled.read(i, image);
    centers.read(classes[static_cast<size_t>(i)], center);
    result.own.push_back(score(image, center));
  }
  const auto other = [&](int64_t row, int64_t column) { return classes[static_cast<size_t>(row)] != column; };
  for (const Neighbour& best : best_matches(labeled, centers, options, other))
    result.other.push_back(best.score);
  return result;
}

std::vector<Consequence> consequences(std::span<const double> best, const LabeledScores& labeled,
                                      std::span<const double> thresholds) {
  const std::vector<double> sorted = sorted_copy(best), own = sorted_copy(labeled.own),
                            other = sorted_copy(labeled.other);
  std::vector<Consequence> table;
  for (const double threshold : thresholds) {
    table.push_back(
        {threshold, count_from(sorted, threshold), share_from(own, threshold), share_from(other, threshold)});
  }
  return table;
}

std::vector<int64_t> cosine_histogram(std::span<const double> cosines) {
  std::vector<int64_t> counts(kOverlapBins, 0);
  for (const double cosine : cosines) {
    const auto bin = static_cast<int64_t>(std::floor((cosine + 1) / 2 * kOverlapBins));
    ++counts[static_cast<size_t>(std::clamp<int64_t>(bin, 0, kOverlapBins - 1))];
  }
  return counts;
}

}  // namespace uir
