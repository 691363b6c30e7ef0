#include "uir/eval/verification.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>
#include <optional>
#include <tuple>
#include <utility>

#include "uir/base/error.h"
#include "uir/base/log.h"
#include "uir/base/parallel.h"
#include "uir/eval/context.h"
#include "uir/eval/hardest.h"
#include "uir/eval/quantile.h"
#include "uir/eval/report_roc.h"
#include "uir/eval/verification_intervals.h"
#include "uir/formats/bin_set.h"
#include "uir/report/report.h"

namespace uir {
namespace {

constexpr NumberWords kAccuracyWords{
    "accuracy", "{value} of pairs are judged right, one person or two, at a threshold of the other folds."};
constexpr NamedMeaning kMeanings[] = {{"accuracy", kHigherRate, kAccuracyWords},
                                      {"accuracy_std", kPlainRate},
                                      {"val", kHigherRate},
                                      {"val_std", kPlainRate},
                                      {"val_far", kPlainRate},
                                      {"auc", kHigherRate, kAucWords},
                                      {"eer", kLowerRate, kEerWords},
                                      {"tar_at_far", kHigherRate, kTarWords},
                                      {"achieved_far", kPlainRate},
                                      {"tar_calibrated", kHigherRate},
                                      {"far_calibrated", kPlainRate},
                                      {"tar_at_common", kHigherRate},
                                      {"far_at_common", kPlainRate}};

constexpr std::string_view kModelZoo =
    "InsightFace Model Zoo (github.com/deepinsight/insightface, model_zoo/README.md)";

std::vector<Reference> published_numbers() {
  const Reference::Counts of_600{{"genuine_pairs", 3'000}, {"impostor_pairs", 3'000}, {"folds", 10}};
  const Reference::Counts of_700{{"genuine_pairs", 3'500}, {"impostor_pairs", 3'500}, {"folds", 10}};
  const auto model_zoo = [](std::string_view model, std::string_view benchmark,
                            const Reference::Counts& counts, double accuracy) {
    return Reference{model, kModelZoo, "", benchmark, {}, counts, {"(flip test)"}, {{"accuracy", accuracy}}};
  };
  return {model_zoo("ArcFace R100, MS1MV2", "lfw", of_600, .9977),
          model_zoo("ArcFace R50, MS1MV2", "lfw", of_600, .99833),
          model_zoo("ArcFace R100, MS1MV2", "cfpfp", of_700, .9827),
          model_zoo("ArcFace R50, MS1MV2", "cfpfp", of_700, .98083),
          model_zoo("ArcFace R100, MS1MV2", "agedb30", of_600, .9828),
          model_zoo("ArcFace R50, MS1MV2", "agedb30", of_600, .98083)};
}

constexpr double kNotDefined = std::numeric_limits<double>::quiet_NaN();
constexpr std::array kFars{1e-2, 1e-3};

// 0, step, 2·step …
struct Thresholds {
  double step;
  int64_t size;
  double operator[](int64_t i) const { return static_cast<double>(i) * step; }
};
constexpr Thresholds kAccuracyThresholds{0.01, 400};
constexpr Thresholds kValThresholds{0.001, 4000};

// Per fold and kind, how many pairs are called "same" at each threshold.
class FoldCounts {
 public:
  FoldCounts(const std::vector<double>& distances, const PairList& pairs, Thresholds thresholds)
      : thresholds_(thresholds), called_(static_cast<size_t>(pairs.num_folds)) {
    for (auto& kinds : called_) kinds.fill(std::vector<int64_t>(static_cast<size_t>(thresholds.size), 0));
    totals_.resize(called_.size());
    for (size_t i = 0; i < distances.size(); ++i) {
      const auto fold = static_cast<size_t>(pairs.folds[i]);
      const int64_t first = first_above(distances[i]);
      if (first < thresholds.size) ++called_[fold][pairs.pairs[i].same][static_cast<size_t>(first)];
      ++totals_[fold][pairs.pairs[i].same];
    }
    for (auto& kinds : called_) {
      for (auto& counts : kinds) {
        for (size_t t = 1; t < counts.size(); ++t) counts[t] += counts[t - 1];
      }
    }
  }

  int64_t total(size_t fold, bool same) const { return totals_[fold][same]; }
  int64_t called(size_t fold, bool same, int64_t t) const {
    return called_[fold][same][static_cast<size_t>(t)];
  }
  // The same over all folds but one.
  int64_t total_of_others(size_t fold, bool same) const {
    return sum_of_others(fold, [&](size_t f) { return total(f, same); });
  }
  int64_t called_of_others(size_t fold, bool same, int64_t t) const {
    return sum_of_others(fold, [&](size_t f) { return called(f, same, t); });
  }
  size_t num_folds() const { return called_.size(); }
  const Thresholds& thresholds() const { return thresholds_; }

 private:
  // The first threshold t with d < t.
  int64_t first_above(double d) const {
    int64_t low = 0, high = thresholds_.size;
    while (low < high) {
      const int64_t middle = (low + high) / 2;
      if (d < thresholds_[middle]) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  }
  template <class F>
  int64_t sum_of_others(size_t fold, F&& f) const {
    int64_t sum = 0;
    for (size_t other = 0; other < num_folds(); ++other) sum += other == fold ? 0 : f(other);
    return sum;
  }

  Thresholds thresholds_;
  std::vector<std::array<std::vector<int64_t>, 2>> called_;  // [fold][same][threshold]
  std::vector<std::array<int64_t, 2>> totals_;
};

// Right decisions: genuine pairs called "same" and impostors not.
int64_t right_of_others(const FoldCounts& counts, size_t fold, int64_t t) {
  return counts.called_of_others(fold, true, t) + counts.total_of_others(fold, false) -
         counts.called_of_others(fold, false, t);
}

void measure_accuracy(const FoldCounts& counts, size_t fold, FoldResult& result) {
  int64_t best = 0, best_right = -1;
  for (int64_t t = 0; t < counts.thresholds().size; ++t) {
    const int64_t right = right_of_others(counts, fold, t);
    if (right > best_right) best = t, best_right = right;
  }
  const int64_t genuine = counts.total(fold, true), impostors = counts.total(fold, false);
  const int64_t right = counts.called(fold, true, best) + impostors - counts.called(fold, false, best);
  result.threshold = counts.thresholds()[best];
  result.accuracy = static_cast<double>(right) / static_cast<double>(genuine + impostors);
}

// The threshold whose FAR on the other folds is the target, by linear interpolation.
double val_threshold(const FoldCounts& counts, size_t fold) {
  const auto total = static_cast<double>(counts.total_of_others(fold, false));
  const auto far = [&](int64_t t) {
    return static_cast<double>(counts.called_of_others(fold, false, t)) / total;
  };
  const Thresholds& thresholds = counts.thresholds();
  for (int64_t t = 1; t < thresholds.size; ++t) {  // nothing is called "same" at threshold 0
    if (far(t) < kValFar) continue;
    const double share = (kValFar - far(t - 1)) / (far(t) - far(t - 1));
    return thresholds[t - 1] + share * (thresholds[t] - thresholds[t - 1]);
  }
  return 0;
}

void measure_val(const std::vector<double>& distances, const PairList& pairs, const FoldCounts& counts,
                 size_t fold, FoldResult& result) {
  result.val_threshold = val_threshold(counts, fold);
  std::array<int64_t, 2> called{};
  for (size_t i = 0; i < distances.size(); ++i) {
    if (static_cast<size_t>(pairs.folds[i]) == fold)
      called[pairs.pairs[i].same] += distances[i] < result.val_threshold;
  }
  result.val = static_cast<double>(called[true]) / static_cast<double>(counts.total(fold, true));
  result.val_far = static_cast<double>(called[false]) / static_cast<double>(counts.total(fold, false));
}

// Mean and population standard deviation.
std::pair<double, double> mean_and_std(const std::vector<FoldResult>& folds, double FoldResult::*member) {
  double sum = 0, squares = 0;
  for (const FoldResult& fold : folds) sum += fold.*member;
  const double mean = sum / static_cast<double>(folds.size());
  for (const FoldResult& fold : folds) squares += (fold.*member - mean) * (fold.*member - mean);
  return {mean, std::sqrt(squares / static_cast<double>(folds.size()))};
}

Roc roc_of(const std::vector<double>& distances, const PairList& pairs) {
  std::array<std::vector<double>, 2> scores;
  for (size_t i = 0; i < distances.size(); ++i) scores[pairs.pairs[i].same].push_back(-distances[i]);
  Roc roc(std::move(scores[true]));
  roc.add_impostors(scores[false]);
  return roc;
}

// Whether every fold has a pair (of that kind).
bool every_fold_has(const FoldCounts& counts, bool genuine, bool impostors) {
  for (size_t fold = 0; fold < counts.num_folds(); ++fold) {
    const bool lacks_genuine = counts.total(fold, true) == 0,
               lacks_impostors = counts.total(fold, false) == 0;
    if ((lacks_genuine && lacks_impostors) || (genuine && lacks_genuine) || (impostors && lacks_impostors))
      return false;
  }
  return true;
}

Json folds_json(const VerificationResult& result) {
  Json folds = Json::array();
  for (const FoldResult& fold : result.folds) {
    folds.push_back({{"threshold", fold.threshold},
                     {"accuracy", fold.accuracy},
                     {"val_threshold", fold.val_threshold},
                     {"val", fold.val},
                     {"val_far", fold.val_far}});
  }
  return folds;
}

void report_folds(const VerificationResult& result, ProtocolResult& report) {
  if (result.folds.empty()) {
    for (const char* name : {"accuracy", "accuracy_std"}) report.undefined(name, "a fold has no pair");
  } else {
    report.number("accuracy", result.accuracy);
    report.number("accuracy_std", result.accuracy_std);
  }
  const std::array<std::pair<std::string, double>, 3> val{
      {{"val", result.val}, {"val_std", result.val_std}, {"val_far", result.val_far}}};
  for (const auto& [name, value] : val) {
    if (std::isnan(value)) {
      report.undefined(name, "a fold lacks pairs of the same or of different people");
    } else {
      report.number(name, value);
    }
  }
}

void report_missing(const PairList& pairs, ProtocolResult& report) {
  if (pairs.left_out == 0) return;
  report.description += concat(" ", pairs.left_out,
                               " pairs of the list are left out, since the set lacks an image of theirs; the "
                               "others keep their folds.");
  report.count("left_out_pairs", pairs.left_out);
  report.count("missing_images", pairs.num_missing);
  Json& missing = report.details["missing_images"] = Json::array();
  for (const std::string& image : pairs.missing) missing.push_back({{"image", image}});
}

PairList pairs_of_bin(const fs::path& bin, const std::string& set_name, size_t rows) {
  const BinSet set(bin);
  if (set.num_images() != static_cast<int64_t>(rows)) {
    fail(ErrorKind::kData, "set ", set_name, ": ", rows, " embeddings, but ", bin.string(), " holds ",
         set.num_pairs(), " pairs of two images (bad images cannot be left out of it)");
  }
  return pairs_of_consecutive_rows({set.is_same().begin(), set.is_same().end()});
}

PairList given_pairs(const VerificationProtocol& config, const KnownSources& sources,
                     std::span<const std::string_view> items) {
  if (!config.pairs.empty()) {
    return read_pairs(config.pairs.value, config.format, items,
                      config.allow_missing ? MissingImages::kLeaveOut : MissingImages::kRefuse);
  }
  if (!config.bin.empty()) return pairs_of_bin(config.bin.value, config.set, items.size());
  const KnownSource* source = sources.find(config.set);
  if (source && source->bin) return pairs_of_bin(*source->bin, config.set, items.size());
  fail(ErrorKind::kConfig, "protocol over set ", config.set,
       ": neither pairs nor bin is given, and the set is no .bin source");
}

// What thresholds that were chosen elsewhere do here. The cosine of unit vectors is 1 − d / 2.
std::vector<FixedThreshold> report_calibrated(const Calibration& calibration,
                                              const std::vector<double>& distances, const PairList& pairs,
                                              ProtocolResult& report) {
  std::vector<FixedThreshold> thresholds;
  for (const CalibratedThreshold& wanted : calibration.pairs) {
    if (!wanted.threshold) continue;
    FixedThreshold& fixed =
        thresholds.emplace_back(FixedThreshold{wanted.rate, std::numeric_limits<double>::infinity()});
    std::array<int64_t, 2> accepted{}, total{};  // of impostor and genuine pairs
    for (size_t i = 0; i < distances.size(); ++i) {
      const size_t genuine = pairs.pairs[i].same ? 1 : 0;
      ++total[genuine];
      if (1 - distances[i] / 2 < *wanted.threshold) continue;
      ++accepted[genuine];
      fixed.score = std::min(fixed.score, -distances[i]);
    }
    report.number_or(name_with_rate("tar_calibrated_for", wanted.rate), share(accepted[1], total[1]),
                     "there are no pairs of the same person");
    report.number_or(name_with_rate("far_calibrated_for", wanted.rate), share(accepted[0], total[0]),
                     "there are no pairs of different people");
  }
  return thresholds;
}

// common: thresholds of −d for the reported rates that were chosen elsewhere, or none.
ProtocolResult run_at(const std::string& name, const CanonicalVectors& vectors, const PairList& pairs,
                      int threads, const Calibration* calibration,
                      std::optional<std::span<const int64_t>> labels, std::span<const double> common) {
  const std::vector<double> distances = pair_distances(vectors, pairs, threads);
  const VerificationResult result = measure_verification(distances, pairs);
  auto report = ProtocolResult::of<VerificationProtocol>(name);
  report.description = concat(
      "Given pairs, called the same person when the squared Euclidean distance d of their unit vectors is "
      "below "
      "a threshold. ",
      pairs.folds_from != Folds::kByKind ? concat(pairs.num_folds, " contiguous folds")
                                         : "A list without folds: fold k holds the k-th tenth of each kind",
      "; accuracy: per fold, the first of the thresholds 0, 0.01 ... 3.99 that is best on the other folds; "
      "mean "
      "and population standard deviation. VAL at FAR 1e-3: threshold interpolated on the other folds from 0, "
      "0.001 ... 3.999. AUC, EER and TAR at FAR (rule at_most) over all pairs.");
  report.count("genuine_pairs", result.roc.num_genuine());
  report.count("impostor_pairs", result.roc.num_impostor());
  report.count("folds", pairs.num_folds);
  report_missing(pairs, report);
  report_folds(result, report);
  report_roc(result.roc, kFars, report);
  report.details["folds"] = folds_json(result);
  std::vector<FixedThreshold> calibrated;
  if (calibration) calibrated = report_calibrated(*calibration, distances, pairs, report);
  if (labels) report_intervals(distances, pairs, result, kFars, {common, calibrated}, *labels, report);
  return report;
}

void add_hardest(const std::string& set_name, const EmbeddingStore& set, const CanonicalVectors& vectors,
                 const PairList& pairs, int threads, ProtocolResult& report) {
  const std::vector<double> distances = pair_distances(vectors, pairs, threads);
  HardestPairs genuine(Hardest::kLowest), impostors(Hardest::kHighest);
  for (size_t i = 0; i < distances.size(); ++i) {
    const Pair& pair = pairs.pairs[i];
    (pair.same ? genuine : impostors).add({1 - distances[i] / 2, pair.a, pair.b});
  }
  const Json thresholds = hard_thresholds(report, .5, 1);  // of −d
  report_hardest(hardest_genuine(thresholds), genuine, set_name, set, report);
  report_hardest(hardest_impostors(thresholds), impostors, set_name, set, report);
}

}  // namespace

NumberFacts VerificationProtocol::number_facts() {
  static const std::vector<Reference> kPublished = published_numbers();
  return {kMeanings, kPublished};
}

std::vector<double> pair_distances(const CanonicalVectors& vectors, const PairList& pairs, int threads) {
  for (const Pair& pair : pairs.pairs) {
    if (std::min(pair.a, pair.b) < 0 || std::max(pair.a, pair.b) >= vectors.rows) {
      fail(ErrorKind::kData, "a pair names rows ", pair.a, " and ", pair.b, " of an embedding set of ",
           vectors.rows, " rows; the set and its pairs do not belong together");
    }
  }
  std::vector<double> distances(pairs.pairs.size());
  parallel_blocks(static_cast<int64_t>(distances.size()), 1024, threads, [&](int64_t begin, int64_t end) {
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
      distances[i] = squared_distance(vectors.row(pairs.pairs[i].a), vectors.row(pairs.pairs[i].b));
    }
  });
  return distances;
}

VerificationResult measure_verification(const std::vector<double>& distances, const PairList& pairs) {
  ensure(distances.size() == pairs.pairs.size() && distances.size() == pairs.folds.size(),
         "one distance per pair");
  VerificationResult result{
      {}, kNotDefined, kNotDefined, kNotDefined, kNotDefined, kNotDefined, roc_of(distances, pairs)};
  const FoldCounts coarse(distances, pairs, kAccuracyThresholds), fine(distances, pairs, kValThresholds);
  if (!every_fold_has(coarse, false, false)) return result;

  const bool has_val = every_fold_has(fine, true, true);
  for (size_t fold = 0; fold < coarse.num_folds(); ++fold) {
    FoldResult& entry = result.folds.emplace_back(FoldResult{0, 0, kNotDefined, kNotDefined, kNotDefined});
    measure_accuracy(coarse, fold, entry);
    if (has_val) measure_val(distances, pairs, fine, fold, entry);
  }
  std::tie(result.accuracy, result.accuracy_std) = mean_and_std(result.folds, &FoldResult::accuracy);
  std::tie(result.val, result.val_std) = mean_and_std(result.folds, &FoldResult::val);
  result.val_far = mean_and_std(result.folds, &FoldResult::val_far).first;
  return result;
}

ProtocolResult run_verification(const std::string& name, const CanonicalVectors& vectors,
                                const PairList& pairs, int threads, const Calibration* calibration,
                                std::optional<std::span<const int64_t>> labels) {
  return run_at(name, vectors, pairs, threads, calibration, labels, {});
}

PairList pairs_of(const VerificationProtocol& config, const KnownSources& sources,
                  std::span<const std::string_view> items) {
  PairList pairs = given_pairs(config, sources, items);
  const int64_t found = std::ssize(pairs.pairs) + pairs.left_out;
  if (config.num_pairs > 0 && found != config.num_pairs) {
    fail(ErrorKind::kData, "set ", config.set, ": ", found, " pairs, expected ", config.num_pairs,
         " (num_pairs); the list or the .bin is not whole, or is another");
  }
  if (pairs.left_out > 0) {
    log_warning("set ", config.set, ": ", pairs.left_out, " of ", found,
                " pairs are left out, since the set lacks ", pairs.num_missing, " of their images, such as '",
                pairs.missing.front(), "'");
  }
  return pairs;
}

std::vector<std::string> sets_of(const VerificationProtocol& config) { return {config.set}; }

std::vector<std::string> problems_of(const VerificationProtocol& config, const KnownSources& sources) {
  std::vector<std::string> problems = sources.problems_of_sets({{"set", {config.set}}});
  const KnownSource* source = sources.find(config.set);
  const bool bin = source && source->bin;
  if (config.pairs.empty() && config.bin.empty() && source && !bin)
    problems.emplace_back("pairs: missing (only a .bin source brings its own)");
  if (!config.pairs.empty() && bin) problems.emplace_back("pairs: a .bin source brings its own");
  if (!config.bin.empty() && bin)
    problems.emplace_back("bin: the set is a .bin source, which brings its own pairs");
  if (!config.pairs.empty() && !config.bin.empty()) problems.emplace_back("pairs and bin exclude each other");
  add_split_problems(config.split, problems);
  return problems;
}

std::vector<ProtocolResult> measure(const std::string& name, const VerificationProtocol& config,
                                    EvalContext& context) {
  const PairList pairs = pairs_of(config, context.sources, context.sets.store(config.set).items());
  const CanonicalVectors& vectors = context.sets.canonical(config.set, config.flip);
  const EmbeddingStore set = context.sets.store(config.set, config.flip);
  const Calibration* calibration = context.calibration_of(set);
  const auto run = [&](const std::string& of, const PairList& list, std::span<const double> common) {
    return run_at(of, vectors, list, context.threads(), calibration, set.labels(), common);
  };
  std::optional<PartedPairs> parted;
  if (config.split.given()) {
    const AttributeTable table(
        config.split, {AttributeOf::kImage, AttributeOf::kFolder, AttributeOf::kPerson, AttributeOf::kPair});
    parted = part_pairs(table, pairs, set.items(), set.labels());
  }
  ProtocolResult result = with_flip_test(run(name, pairs, {}), set);
  if (context.pictures) add_hardest(config.set, set, vectors, pairs, context.threads(), result);
  if (!parted) return {result};
  const std::vector<double> common = thresholds_of(result);
  parted->parts.report(
      [&](int64_t part) {
        std::vector<int64_t> chosen;
        for (int64_t i = 0; i < std::ssize(parted->part_of); ++i) {
          if (parted->part_of[i] == part) chosen.push_back(i);
        }
        return run(parted->parts.name(part), pairs_alone(pairs, chosen), common);
      },
      result);
  return {result};
}

}  // namespace uir
