#include "uir/eval/validate_intervals.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <utility>

#include "uir/base/error.h"
#include "uir/base/parallel.h"
#include "uir/base/progress.h"
#include "uir/base/random.h"
#include "uir/eval/embedding_sets.h"
#include "uir/eval/identification_uncertainty.h"
#include "uir/eval/pair_uncertainty.h"
#include "uir/eval/rejection.h"
#include "uir/eval/separation.h"
#include "uir/eval/simulated_faces.h"
#include "uir/eval/uncertainty_example.h"
#include "uir/report/intervals.h"
#include "uir/search/canonical.h"

namespace uir {
namespace {

constexpr uint64_t kSeed = 20191028;
constexpr double kFars[] = {1e-2, 1e-3};
constexpr double kThresholds[] = {.5479, .6798};  // where the population's FAR is 1e-2 and 1e-3
constexpr double kLowest = -std::numeric_limits<double>::infinity();

// One repetition's number.
struct Estimate {
  double value = 0, low = std::numeric_limits<double>::quiet_NaN(), high = low;
};
struct NamedEstimate {
  std::string name;
  std::optional<double> truth;
  Estimate estimate;
  double highest = .99;  // wanted coverage
};

// A ROC of pairs, and what is sure of it.
struct MeasuredPairs {
  Roc roc;
  PairUncertainty uncertainty;
  PeopleTally tally;

  explicit MeasuredPairs(const ScoredPairs& pairs, std::span<const double> fars,
                         std::span<const double> thresholds)
      : roc(roc_of(pairs)), uncertainty(roc, fars, thresholds), tally(tally_of(uncertainty, pairs)) {}
  MeasuredPairs(const MeasuredPairs&) = delete;
  MeasuredPairs& operator=(const MeasuredPairs&) = delete;
};

Estimate estimate_of(double value, const Uncertainty& uncertainty) {
  return {value, uncertainty.low, uncertainty.high};
}

// Of the second number less the first.
Estimate difference_of(double first, const Uncertainty& of_first, double second,
                       const Uncertainty& of_second) {
  Estimate estimate{second - first};
  if (of_first.influences.empty() || of_second.influences.empty()) return estimate;
  std::vector<double> differences = of_second.influences[0];
  for (size_t i = 0; i < differences.size(); ++i) differences[i] -= of_first.influences[0][i];
  const std::optional<Variance> variance = variance_of(std::move(differences));
  if (!variance) return estimate;
  const Interval interval = interval_of_mean(estimate.value, *variance);
  return {estimate.value, interval.low, interval.high};
}

void measure_pairs(ItemRandom& random, std::vector<NamedEstimate>& found) {
  constexpr int64_t kPeople = 100;
  constexpr double kTars[] = {.834, .618}, kAuc = .98788, kEer = .0549;
  const std::array<SimulatedFaces, 2> faces = simulate_faces(random, kPeople);
  const MeasuredPairs a(all_pairs_of(faces[0]), kFars, kThresholds), b(all_pairs_of(faces[1]), kFars, {});
  for (size_t t = 0; t < 2; ++t) {
    const Uncertainty far = a.uncertainty.far_at(a.tally, t), tar = a.uncertainty.tar_at(a.tally, t);
    found.push_back({concat("FAR at the threshold of FAR ", kFars[t]), kFars[t], estimate_of(kFars[t], far)});
    found.push_back({concat("TAR at the threshold of FAR ", kFars[t]), kTars[t], estimate_of(kTars[t], tar)});
  }
  for (size_t f = 0; f < 2; ++f) {
    const Uncertainty tar = a.uncertainty.tar_at_far(a.tally, f), of_b = b.uncertainty.tar_at_far(b.tally, f);
    const double value = a.roc.at_most(kFars[f]).tar, value_of_b = b.roc.at_most(kFars[f]).tar;
    const PairUncertainty::PerPerson mean = a.uncertainty.tar_per_person(a.tally, f);
    found.push_back({concat("TAR at FAR ", kFars[f]), kTars[f], estimate_of(value, tar)});
    found.push_back(
        {concat("TAR per person at FAR ", kFars[f]), std::nullopt, estimate_of(mean.mean, mean.uncertainty)});
    found.push_back({concat("difference of TAR at FAR ", kFars[f]), 0.0,
                     difference_of(value, tar, value_of_b, of_b), .997});
  }
  const Uncertainty auc = a.uncertainty.auc(a.tally), auc_of_b = b.uncertainty.auc(b.tally);
  found.push_back({"AUC", kAuc, estimate_of(a.roc.auc(), auc)});
  found.push_back({"difference of AUC", 0.0, difference_of(a.roc.auc(), auc, b.roc.auc(), auc_of_b), .997});
  found.push_back({"EER", kEer, estimate_of(a.roc.eer(), a.uncertainty.eer(a.tally))});
}

// The first image of each of the known is the gallery, all other images are probes.
std::vector<IdentifiedProbe> identify(const SimulatedFaces& faces, int64_t known) {
  std::vector<size_t> gallery;
  std::vector<IdentifiedProbe> probes;
  std::vector<size_t> images;
  for (size_t i = 0; i < faces.images.size(); ++i) {
    const bool mated = faces.person[i] < known;
    if (mated && (i == 0 || faces.person[i] != faces.person[i - 1])) {
      gallery.push_back(i);
    } else {
      probes.push_back({{}, faces.person[i], mated});
      images.push_back(i);
    }
  }
  for (size_t p = 0; p < probes.size(); ++p) {
    IdentifiedProbe& probe = probes[p];
    for (const size_t of_gallery : gallery) {
      const double score = faces.score(images[p], of_gallery);
      if (faces.person[of_gallery] == probe.person) {
        probe.own = score;
      } else {
        probe.add_other(faces.person[of_gallery], score);
      }
    }
  }
  return probes;
}

void measure_open_set(ItemRandom& random, std::vector<NamedEstimate>& found) {
  constexpr int64_t kKnown = 150, kStrangers = 150;
  constexpr double kRates[] = {.1, .03};
  const std::vector<IdentifiedProbe> probes =
      identify(simulate_faces(random, kKnown + kStrangers)[0], kKnown);
  std::vector<double> non_mated;
  int64_t mated = 0;
  for (const IdentifiedProbe& probe : probes) {
    mated += probe.mated;
    if (!probe.mated) non_mated.push_back(probe.other);
  }
  std::ranges::sort(non_mated, std::greater());
  const auto threshold_at = [&](double rate) {
    const auto allowed = static_cast<int64_t>(rate * static_cast<double>(non_mated.size()));
    return non_mated[static_cast<size_t>(std::max<int64_t>(allowed - 1, 0))];
  };
  const auto found_at = [&](double threshold) {
    const auto hits = std::ranges::count_if(
        probes, [&](const IdentifiedProbe& p) { return p.mated && p.own > p.other && p.own > threshold; });
    return static_cast<double>(hits) / static_cast<double>(mated);
  };
  const IdentificationUncertainty uncertainty(probes, kKnown + kStrangers);
  found.push_back({"rank 1", std::nullopt, estimate_of(found_at(kLowest), uncertainty.rank1())});
  for (const double rate : kRates)
    found.push_back({concat("DIR at FAR ", rate), std::nullopt,
                     estimate_of(found_at(threshold_at(rate)), uncertainty.dir(rate, threshold_at))});
}

void measure_centers(ItemRandom& random, std::vector<NamedEstimate>& found) {
  constexpr int64_t kCenters = 200, kDim = 16;
  std::vector<float> centers;
  for (int64_t i = 0; i < kCenters * kDim; ++i) centers.push_back(static_cast<float>(random.normal()));
  const SeparationResult result = measure_separation({centers.data(), kCenters, kDim}, 1);
  const Interval interval =
      interval_of_mean(result.nearest.mean, {result.nearest_variance, static_cast<double>(kCenters - 1)});
  found.push_back({"nearest class center", std::nullopt, {result.nearest.mean, interval.low, interval.high}});
}

// Best cosines of three faces each of known people and strangers, who differ.
struct DrawnClasses {
  std::vector<float> classes;
  std::vector<int64_t> labels;

  DrawnClasses(ItemRandom& random, int64_t people, double mean) {
    for (int64_t person = 0; person < people; ++person) {
      const double own = mean + 0.1 * random.normal();
      for (int face = 0; face < 3; ++face) {
        const auto cosine = static_cast<float>(own + 0.1 * random.normal());
        classes.insert(classes.end(), {static_cast<float>(person), cosine, cosine});
        labels.push_back(person);
      }
    }
  }
  ClassifiedSet set(const char* name) const {
    return {name, {classes.data(), std::ssize(labels), 3}, labels};
  }
};

void measure_rejected(ItemRandom& random, std::vector<NamedEstimate>& found) {
  constexpr int64_t kPeople = 150;
  const DrawnClasses known(random, kPeople, .6), strangers(random, kPeople, .35);
  const ClassifiedSet known_set = known.set("known"), stranger_set = strangers.set("strangers");
  RejectionProtocol config;
  config.keep = {.9};
  config.false_acceptance = .1;
  const ProtocolResult result =
      run_rejection("rejection", std::span(&known_set, 1), std::span(&stranger_set, 1), config);
  const auto add = [&](const char* name, const char* number) {
    const auto measured = std::ranges::find(result.numbers, number, &Measurement::name);
    found.push_back({name, std::nullopt, estimate_of(measured->value, measured->uncertainty.value())});
  };
  add("strangers rejected keeping 0.9", "strangers_rejected_keeping_0.9_by_cosine");
  add("known accepted, 0.1 of strangers", "known_accepted_by_cosine");
}

std::vector<NamedEstimate> repetition(int64_t number) {
  ItemRandom random(kSeed, RandomPurpose::kSimulation, 0, static_cast<uint64_t>(number));
  std::vector<NamedEstimate> found;
  measure_pairs(random, found);
  measure_open_set(random, found);
  measure_centers(random, found);
  measure_rejected(random, found);
  return found;
}

CoveredNumber covered(const std::vector<std::vector<NamedEstimate>>& all, size_t number) {
  const NamedEstimate& first = all.front()[number];
  double mean = 0;
  for (const auto& one : all) mean += one[number].estimate.value / static_cast<double>(all.size());
  CoveredNumber result{first.name, first.truth.value_or(mean), 0, 0, .92, first.highest};
  for (const auto& one : all) {
    const Estimate& estimate = one[number].estimate;
    if (std::isnan(estimate.low)) continue;
    ++result.intervals;
    result.covered += estimate.low <= result.truth && result.truth <= estimate.high;
  }
  return result;
}

}  // namespace

std::vector<CoveredNumber> simulate_coverage(int64_t repetitions, int threads) {
  ensure(repetitions > 0, "a simulation has repetitions");
  std::vector<std::vector<NamedEstimate>> all(static_cast<size_t>(repetitions));
  Progress progress("drawing people", "repetitions", repetitions);
  parallel_blocks(repetitions, 1, threads, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) all[static_cast<size_t>(i)] = repetition(i);
    progress.add(end - begin);
  });
  std::vector<CoveredNumber> numbers;
  for (size_t number = 0; number < all.front().size(); ++number) numbers.push_back(covered(all, number));
  return numbers;
}

std::vector<std::string> example_differences() {
  const double fars[] = {.05}, thresholds[] = {.6};
  const MeasuredPairs example(uncertainty_example(), fars, thresholds);
  const Uncertainty far = example.uncertainty.far_at(example.tally, 0),
                    tar = example.uncertainty.tar_at(example.tally, 0),
                    auc = example.uncertainty.auc(example.tally),
                    at_far = example.uncertainty.tar_at_far(example.tally, 0);
  struct Known {
    const char* name;
    double found, known;
    int digits;
  };
  const Known known[] = {{"lower FAR at 0.6", far.low, .040096, 6},
                         {"upper FAR at 0.6", far.high, .179964, 6},
                         {"lower FRR at 0.6", 1 - tar.high, .177064, 6},
                         {"upper FRR at 0.6", 1 - tar.low, .580322, 6},
                         {"AUC", example.roc.auc(), .9253759756, 10},
                         {"lower AUC", auc.low, .864107, 6},
                         {"upper AUC", auc.high, .960291, 6},
                         {"TAR at FAR 0.05", example.roc.at_most(.05).tar, .568627, 6},
                         {"lower TAR at FAR 0.05", at_far.low, .330743, 6},
                         {"upper TAR at FAR 0.05", at_far.high, .778566, 6}};
  std::vector<std::string> differences;
  for (const Known& number : known) {
    char found[32], wanted[32];
    std::snprintf(found, sizeof found, "%.*f", number.digits, number.found);
    std::snprintf(wanted, sizeof wanted, "%.*f", number.digits, number.known);
    if (std::string(found) != wanted)
      differences.push_back(concat("example: ", number.name, " is ", found, ", not ", wanted));
  }
  return differences;
}

std::string validate_intervals(int64_t repetitions, int threads) {
  std::vector<std::string> problems = example_differences();
  std::string text = "the example is right in all digits\n";
  if (!problems.empty()) text = "the example is WRONG\n";
  for (const CoveredNumber& number : simulate_coverage(repetitions, threads)) {
    char line[160];
    std::snprintf(line, sizeof line, "%-38s truth %-10.6g covered %.3f of %lld (wanted %.3g to %.3g)%s\n",
                  number.name.c_str(), number.truth, number.coverage(),
                  static_cast<long long>(number.intervals), number.low, number.high,
                  number.as_wanted() ? "" : "  NOT AS WANTED");
    text += line;
    if (!number.as_wanted()) problems.push_back(concat(number.name, " is covered in ", number.coverage()));
  }
  if (problems.empty()) return text;
  std::string all;
  for (const std::string& problem : problems) all += concat(all.empty() ? "" : "; ", problem);
  fail(ErrorKind::kInternal, text, "the intervals are not what they say: ", all);
}

}  // namespace uir
