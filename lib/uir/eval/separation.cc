#include "uir/eval/separation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "uir/base/error.h"
#include "uir/base/progress.h"
#include "uir/config/names.h"
#include "uir/eval/context.h"
#include "uir/eval/quantile.h"
#include "uir/report/intervals.h"
#include "uir/report/report.h"
#include "uir/search/canonical.h"
#include "uir/search/exact_scores.h"

namespace uir {
namespace {

constexpr double kStep = 1e-5;
constexpr int64_t kBins = 200'001;  // of 1 − cos, which rounding may push out of [0, 2]

// 1 − cos over the pairs that one thread saw.
struct Seen {
  std::vector<int64_t> histogram;
  std::vector<double> nearest;     // per center, the largest cosine with another one
  std::vector<int64_t> neighbour;  // which one that is, of several the first

  explicit Seen(int64_t num_centers)
      : histogram(kBins, 0),
        nearest(static_cast<size_t>(num_centers), -std::numeric_limits<double>::infinity()),
        neighbour(static_cast<size_t>(num_centers), num_centers) {}

  void add(int64_t a, int64_t b, double cosine) {
    ++histogram[static_cast<size_t>(std::clamp((1 - cosine) / kStep, 0.0, static_cast<double>(kBins - 1)))];
    approach(static_cast<size_t>(a), b, cosine);
    approach(static_cast<size_t>(b), a, cosine);
  }
  void approach(size_t center, int64_t other, double cosine) {
    if (cosine < nearest[center] || (cosine == nearest[center] && other > neighbour[center])) return;
    nearest[center] = cosine;
    neighbour[center] = other;
  }
  void merge(const Seen& other) {
    for (size_t i = 0; i < histogram.size(); ++i) histogram[i] += other.histogram[i];
    for (size_t i = 0; i < nearest.size(); ++i) approach(i, other.neighbour[i], other.nearest[i]);
  }
};

Seen see_all_pairs(const CanonicalVectors& centers, int threads) {
  const ScoreColumns columns(centers.view());
  const Seen nothing(centers.rows);
  Seen all = nothing;
  Progress progress("comparing class centers", "centers", centers.rows);
  const auto see_block = [&](Seen& seen, int64_t begin, int64_t end) {
    visit_scores(centers.view(), begin, end, columns, begin,
                 [&](int64_t row, int64_t first, std::span<const double> scores) {
                   const auto width = static_cast<int64_t>(scores.size());
                   for (int64_t c = std::max<int64_t>(0, row + 1 - first); c < width; ++c)
                     seen.add(row, first + c, scores[c]);
                 });
    progress.add(end - begin);
  };
  reduce_blocks(centers.rows, kScoreRows, threads, nothing, see_block,
                [&](const Seen& seen) { all.merge(seen); });
  return all;
}

// 1 − cos averaged over all pairs, from the sum of the vectors: ‖Σŵ‖² = Σ‖ŵ‖² + 2 Σ_{i<j} cos.
double mean_of_all_pairs(const CanonicalVectors& centers) {
  std::vector<double> sum(static_cast<size_t>(centers.cols), 0.0);
  double own = 0;
  for (int64_t i = 0; i < centers.rows; ++i) {
    const std::span<const float> row = centers.row(i);
    for (size_t d = 0; d < row.size(); ++d) sum[d] += row[d];
    own += score(row, row);
  }
  double total = 0;
  for (double x : sum) total += x * x;
  const auto n = static_cast<double>(centers.rows);
  return 1 - (total - own) / (n * (n - 1));
}

Spread spread_of_histogram(const std::vector<int64_t>& histogram) {
  int64_t total = 0;
  for (int64_t count : histogram) total += count;
  const auto quantile = [&](double q) {
    int64_t below = 0;
    size_t bin = 0;
    while (static_cast<double>(below += histogram[bin]) < q * static_cast<double>(total)) ++bin;
    return (static_cast<double>(bin) + 0.5) * kStep;
  };
  return {0, quantile(0.01), quantile(0.05), quantile(0.50), 0};
}

Spread spread_of_nearest(const std::vector<double>& cosines) {
  std::vector<double> values;
  double sum = 0;
  for (double cosine : cosines) sum += values.emplace_back(1 - cosine);
  std::ranges::sort(values);
  return {sum / static_cast<double>(values.size()), sorted_quantile(values, 0.01),
          sorted_quantile(values, 0.05), sorted_quantile(values, 0.50), values.front()};
}

// Of the mean distance to the nearest center; neighbours share distances.
double variance_of_nearest(const Seen& seen, double mean) {
  double own = 0, shared = 0;
  for (size_t c = 0; c < seen.nearest.size(); ++c) {
    const auto other = static_cast<size_t>(seen.neighbour[c]);
    const double u = 1 - seen.nearest[c] - mean, of_other = 1 - seen.nearest[other] - mean;
    own += u * u;
    const bool mutual = static_cast<size_t>(seen.neighbour[other]) == c;
    shared += (mutual ? 1 : 2) * u * of_other;  // mutual pairs are met from either side
  }
  const auto centers = static_cast<double>(seen.nearest.size());
  return std::max(own, own + shared) / (centers * centers);
}

constexpr NamedMeaning kMeanings[] = {
    {"nearest_mean",
     {},
     {"mean distance to the nearest class center",
      "A class center is {value} away from its nearest other on average, as 1 - cosine: 0 is the same "
      "direction, 1 a "
      "right angle."}},
    {"minimum",
     {},
     {"smallest distance", "The two closest class centers are {value} away from each other."}}};

void report_spread(std::string_view prefix, const Spread& spread, ProtocolResult& report) {
  report.number(concat(prefix, "_mean"), spread.mean);
  report.number(concat(prefix, "_q01"), spread.q01);
  report.number(concat(prefix, "_q05"), spread.q05);
  report.number(concat(prefix, "_q50"), spread.q50);
}

}  // namespace

// None ranks models: a network whose recognition is ruined can have better ones (docs/protocols.md).
NumberFacts SeparationProtocol::number_facts() { return {kMeanings, {}}; }

SeparationResult measure_separation(MatrixView centers, int threads) {
  if (centers.rows < 2)
    fail(ErrorKind::kData, "separation: ", centers.rows, " class centers; it needs two or more");
  const CanonicalVectors unit = canonical_vectors(centers, std::nullopt, threads,
                                                  [](int64_t row) { return concat("class center ", row); });
  const Seen seen = see_all_pairs(unit, threads);
  SeparationResult result{centers.rows, spread_of_histogram(seen.histogram), spread_of_nearest(seen.nearest)};
  result.all_pairs.mean = mean_of_all_pairs(unit);
  result.all_pairs.minimum = result.nearest.minimum;
  result.nearest_variance = variance_of_nearest(seen, result.nearest.mean);
  return result;
}

ProtocolResult run_separation(const std::string& name, MatrixView centers, int threads) {
  const SeparationResult result = measure_separation(centers, threads);
  auto report = ProtocolResult::of<SeparationProtocol>(name);
  report.description =
      "1 - cos between class centers: mean and 1 %, 5 %, 50 % quantiles over all pairs (quantiles to 0.5e-5) "
      "and over "
      "every center's nearest other center (exact), and the smallest of all.";
  report.count("class_centers", result.num_centers);
  report.count("pairs", result.num_centers * (result.num_centers - 1) / 2);
  report_spread("all_pairs", result.all_pairs, report);
  report_spread("nearest", result.nearest, report);
  report.number("minimum", result.nearest.minimum);
  if (result.num_centers < 3) return report;
  const Interval interval = interval_of_mean(
      result.nearest.mean, {result.nearest_variance, static_cast<double>(result.num_centers - 1)});
  Uncertainty uncertainty;
  uncertainty.low = interval.low;
  uncertainty.high = interval.high;
  uncertainty.note = "over classes, not over trainings";
  report.set_uncertainty("nearest_mean", std::move(uncertainty));
  return report;
}

std::vector<std::string> sets_of(const SeparationProtocol&) { return {kClassCentersSet}; }

std::vector<std::string> problems_of(const SeparationProtocol&, const KnownSources&) { return {}; }

std::vector<ProtocolResult> measure(const std::string& name, const SeparationProtocol&,
                                    EvalContext& context) {
  return {run_separation(name, context.sets.store(kClassCentersSet).embeddings(), context.threads())};
}

}  // namespace uir
