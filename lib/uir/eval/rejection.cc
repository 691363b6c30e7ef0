#include "uir/eval/rejection.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "uir/base/error.h"
#include "uir/eval/context.h"
#include "uir/eval/hardest.h"
#include "uir/eval/quantile.h"
#include "uir/eval/rejection_intervals.h"
#include "uir/report/report.h"

namespace uir {
namespace {

// Probabilities of strangers rank no models: a network whose recognition is ruined can have better ones
// (docs/protocols.md).
constexpr NamedMeaning kMeanings[] = {
    {"known_rank", kHigherRate, {"rank-{x}", "{value} of the faces of known people get their own class."}},
    {"known_accepted", kHigherRate},
    {"known_accepted_right",
     kHigherRate,
     {"detection and identification, by probability",
      "{value} of the faces of known people are accepted in the right class by the threshold of "
      "threshold.json.",
      "_by_probability"}},
    {"strangers_rejected", kHigherRate},
    {"strangers_rejected_keeping",
     kHigherRate,
     {"rejection at {percent} kept, by probability",
      "{value} of the faces of strangers are rejected when {percent} of the faces of known people are kept.",
      "_by_probability"}},
    {"strangers_below", kHigherRate},
    {"strangers_accepted", kPlainRate},
    {"strangers_mean_probability",
     {},
     {"open-set response", "A face of a stranger has a best class of probability {value} on average."}}};

constexpr std::array kQuantiles{0.01, 0.05, 0.25, 0.50, 0.75, 0.95, 0.99};
constexpr size_t kHistogramBins = 20;

// One measure of all faces on either side.
struct Values {
  std::vector<float> known, known_right,
      strangers;  // known_right: of the known faces put into the right class
};

bool has_column(const ClassifiedSet& set, ClassColumn column) {
  return set.classes.cols > static_cast<int64_t>(column);
}

void check_sets(std::span<const ClassifiedSet> sets, std::string_view role, bool labeled) {
  int64_t faces = 0;
  for (const ClassifiedSet& set : sets) {
    ensure(has_column(set, ClassColumn::kProbability) &&
               static_cast<int64_t>(set.labels.size()) == set.classes.rows,
           "a classified set has N rows of class columns and N labels");
    faces += set.classes.rows;
    const auto bad = std::ranges::find_if(set.labels, [](int64_t label) { return label < 0; });
    if (labeled && bad != set.labels.end()) {
      fail(ErrorKind::kData, set.name, ": row ", bad - set.labels.begin(),
           " has no class; a set of known faces needs labels");
    }
  }
  if (faces == 0) fail(ErrorKind::kData, "rejection: the sets of ", role, " hold no faces");
}

Values values_of(std::span<const ClassifiedSet> known, std::span<const ClassifiedSet> strangers,
                 ClassColumn of) {
  const auto column = static_cast<size_t>(of);
  Values values;
  for (const ClassifiedSet& set : known) {
    for (int64_t i = 0; i < set.classes.rows; ++i) {
      const std::span<const float> row = set.classes.row(i);
      values.known.push_back(row[column]);
      if (double{row[0]} == static_cast<double>(set.labels[i])) values.known_right.push_back(row[column]);
    }
  }
  for (const ClassifiedSet& set : strangers) {
    for (int64_t i = 0; i < set.classes.rows; ++i) values.strangers.push_back(set.classes.row(i)[column]);
  }
  for (auto* side : {&values.known, &values.known_right, &values.strangers}) std::ranges::sort(*side);
  return values;
}

// How many of the sorted values are >= threshold.
int64_t accepted(const std::vector<float>& sorted, float threshold) {
  return sorted.end() - std::ranges::lower_bound(sorted, threshold);
}

KeepResult keep_faces(const std::vector<float>& kept, const std::vector<float>& strangers, double keep) {
  // The k-th largest face is the last that has to be kept.
  const size_t k = std::max<size_t>(count_of_share(keep, kept.size()), 1);
  const float threshold = kept[kept.size() - k];
  const size_t n = strangers.size();
  return {keep, threshold, share(static_cast<int64_t>(n) - accepted(strangers, threshold), n)};
}

// The smallest float32 threshold that accepts at most the wanted share of strangers.
float threshold_for(const std::vector<float>& strangers, double false_acceptance) {
  const size_t n = strangers.size();
  size_t allowed = n;
  while (allowed > 0 && share(static_cast<int64_t>(allowed), n) > false_acceptance) --allowed;
  if (allowed == n) return strangers.front();
  return std::nextafter(strangers[n - 1 - allowed], std::numeric_limits<float>::infinity());
}

ThresholdChoice choose_threshold(const Values& values, double false_acceptance) {
  const float threshold = threshold_for(values.strangers, false_acceptance);
  return {threshold, share(accepted(values.strangers, threshold), values.strangers.size()),
          share(accepted(values.known, threshold), values.known.size()),
          share(accepted(values.known_right, threshold), values.known.size())};
}

double mean(const std::vector<float>& values) {
  double sum = 0;
  for (float value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

ValueDistribution distribution(const std::vector<float>& sorted, double low, double high) {
  ValueDistribution of{mean(sorted), {}, low, high, std::vector<int64_t>(kHistogramBins, 0)};
  for (double q : kQuantiles) of.quantiles.emplace_back(q, sorted_quantile(sorted, q));
  for (float value : sorted) {
    const double bin = (value - low) / (high - low) * static_cast<double>(kHistogramBins);
    ++of.histogram[static_cast<size_t>(std::clamp(bin, 0.0, static_cast<double>(kHistogramBins - 1)))];
  }
  return of;
}

// The values that the histogram of a measure spans.
std::pair<double, double> range_of(ClassColumn column, const Values& values) {
  if (column == ClassColumn::kCosine) return {-1, 1};
  if (column == ClassColumn::kProbability) return {0, 1};
  const double low = std::floor(std::min(values.known.front(), values.strangers.front()));
  const double high = std::ceil(std::max(values.known.back(), values.strangers.back()));
  return {low, std::max(high, low + 1)};
}

RejectionMeasure measure_of(ClassColumn column, std::span<const ClassifiedSet> known,
                            std::span<const ClassifiedSet> strangers, const RejectionProtocol& config) {
  const Values values = values_of(known, strangers, column);
  RejectionMeasure of;
  for (double keep : config.keep) {
    of.keep.push_back(keep_faces(values.known, values.strangers, keep));
    if (values.known_right.empty()) continue;
    of.keep_right.push_back(keep_faces(values.known_right, values.strangers, keep));
  }
  of.chosen = choose_threshold(values, config.false_acceptance);
  const auto [low, high] = range_of(column, values);
  of.known = distribution(values.known, low, high);
  of.strangers = distribution(values.strangers, low, high);
  return of;
}

Json distribution_json(const ValueDistribution& of) {
  Json quantiles = Json::object();
  for (const auto& [q, value] : of.quantiles) quantiles[name_with_rate("q", q)] = value;
  return {{"mean", of.mean},
          {"quantiles", quantiles},
          {"histogram", {{"low", of.low}, {"high", of.high}, {"counts", of.histogram}}}};
}

Json threshold_json(const ThresholdChoice& chosen) {
  return {{"threshold", chosen.threshold},
          {"strangers_accepted", chosen.strangers_accepted},
          {"known_accepted", chosen.known_accepted},
          {"known_accepted_right", chosen.known_accepted_right}};
}

void report_keep(std::string_view measure, std::string_view faces, std::string_view suffix,
                 std::span<const KeepResult> kept, ProtocolResult& report) {
  for (const KeepResult& keep : kept) {
    report.number(concat(name_with_rate("strangers_rejected_keeping", keep.keep), suffix, "_by_", measure),
                  keep.strangers_below);
    report.details["keep"].push_back({{"measure", measure},
                                      {"of", faces},
                                      {"keep", keep.keep},
                                      {"threshold", keep.threshold},
                                      {"strangers_below", keep.strangers_below}});
  }
}

void report_measure(std::string_view measure, const RejectionMeasure& of, ProtocolResult& report) {
  report_keep(measure, "known", "", of.keep, report);
  report_keep(measure, "known_right", "_right", of.keep_right, report);
  report.number(concat("known_accepted_by_", measure), of.chosen.known_accepted);
  report.number(concat("known_accepted_right_by_", measure), of.chosen.known_accepted_right);
  report.number(concat("strangers_accepted_by_", measure), of.chosen.strangers_accepted);
  report.details["distributions"][measure] = {{"known", distribution_json(of.known)},
                                              {"strangers", distribution_json(of.strangers)}};
  report.details["threshold"][measure] = threshold_json(of.chosen);
}

Json names_of(std::span<const ClassifiedSet> sets) {
  Json names = Json::array();
  for (const ClassifiedSet& set : sets) names.push_back(set.name);
  return names;
}

bool all_have_odds(std::span<const ClassifiedSet> known, std::span<const ClassifiedSet> strangers) {
  const auto has_odds = [](const ClassifiedSet& set) { return has_column(set, ClassColumn::kLogOdds); };
  return std::ranges::all_of(known, has_odds) && std::ranges::all_of(strangers, has_odds);
}

// A face of some sets, and its class.
struct HardFaces {
  HardestPairs pairs;
  std::vector<std::pair<const ClassifiedSet*, int64_t>> faces{};  // the pairs' left side counts in them

  void add(const ClassifiedSet& set, int64_t row, ClassColumn column) {
    const std::span<const float> classes = set.classes.row(row);
    pairs.add({classes[static_cast<size_t>(column)], std::ssize(faces),
               static_cast<int64_t>(classes[static_cast<size_t>(ClassColumn::kClass)])});
    faces.emplace_back(&set, row);
  }
};

void add_hardest(std::span<const ClassifiedSet> known, std::span<const ClassifiedSet> strangers,
                 EmbeddingSets& sets, ProtocolResult& report) {
  const bool odds = all_have_odds(known, strangers);  // they tell apart what rounds to probability 1
  const ClassColumn column = odds ? ClassColumn::kLogOdds : ClassColumn::kProbability;
  HardFaces right{HardestPairs(Hardest::kLowest)}, wrong{HardestPairs(Hardest::kHighest)},
      taken{HardestPairs(Hardest::kHighest)};
  for (const ClassifiedSet& set : known) {
    for (int64_t row = 0; row < set.classes.rows; ++row) {
      const auto of = static_cast<int64_t>(set.classes.row(row)[static_cast<size_t>(ClassColumn::kClass)]);
      (of == set.labels[static_cast<size_t>(row)] ? right : wrong).add(set, row, column);
    }
  }
  for (const ClassifiedSet& set : strangers) {
    for (int64_t row = 0; row < set.classes.rows; ++row) taken.add(set, row, column);
  }
  const char* member = odds ? "log_odds" : "probability";
  Json thresholds = Json::array();
  thresholds.push_back({{"at", "the threshold of threshold.json"},
                        {"threshold", report.details["threshold"][member]["threshold"]}});
  const auto add = [&](std::string_view kind, std::string_view words, const HardFaces& hard) {
    const auto face = [&](int64_t i) {
      const auto [set, row] = hard.faces[static_cast<size_t>(i)];
      return hard_face(set->name, sets.store(set->name), row);
    };
    report_hardest({kind, words, odds ? "log odds" : "probability", thresholds},
                   hard_pairs(hard.pairs, face, hard_face_of_class), report);
  };
  add("genuine", "Known people who are least sure of their own class", right);
  add("impostor", "Known people most surely taken for another class", wrong);
  add("strangers", "Strangers most surely taken for somebody", taken);
}

}  // namespace

NumberFacts RejectionProtocol::number_facts() { return {kMeanings, {}}; }

RejectionResult measure_rejection(std::span<const ClassifiedSet> known,
                                  std::span<const ClassifiedSet> strangers, const RejectionProtocol& config) {
  check_sets(known, "known faces", true);
  check_sets(strangers, "strangers", false);
  const auto of = [&](ClassColumn column) { return measure_of(column, known, strangers, config); };
  RejectionResult result;
  result.probability = of(ClassColumn::kProbability);
  result.cosine = of(ClassColumn::kCosine);
  if (all_have_odds(known, strangers)) result.log_odds = of(ClassColumn::kLogOdds);
  const Values probability = values_of(known, strangers, ClassColumn::kProbability);
  result.num_known = static_cast<int64_t>(probability.known.size());
  result.num_strangers = static_cast<int64_t>(probability.strangers.size());
  result.rank1 = share(static_cast<int64_t>(probability.known_right.size()), probability.known.size());
  result.strangers_mean_probability = mean(probability.strangers);
  result.strangers_median_probability = sorted_quantile(probability.strangers, 0.5);
  return result;
}

ProtocolResult run_rejection(const std::string& name, std::span<const ClassifiedSet> known,
                             std::span<const ClassifiedSet> strangers, const RejectionProtocol& config) {
  const RejectionResult result = measure_rejection(known, strangers, config);
  auto report = ProtocolResult::of<RejectionProtocol>(name);
  report.description = concat(
      "Faces of known people (held out from training) and of strangers, each with its best class's cosine, "
      "probability p and log odds log(p/(1 - p)); a face is accepted when the value is at least a threshold. "
      "strangers_rejected_keeping_s: share of strangers below the largest threshold that accepts a share s "
      "of "
      "the known faces; ..._s_right: of the known faces whose best class is the right one. The chosen "
      "threshold is the smallest that accepts at most a share ",
      config.false_acceptance, " of the strangers.");
  report.count("known_faces", result.num_known);
  report.count("strangers", result.num_strangers);
  report.number("known_rank1", result.rank1);
  report.number("strangers_mean_probability", result.strangers_mean_probability);
  report.number("strangers_median_probability", result.strangers_median_probability);
  report.details["threshold"] = {{"format", "uir-threshold"},
                                 {"version", 1},
                                 {"rule", "accept when value >= threshold"},
                                 {"false_acceptance", config.false_acceptance},
                                 {"known_faces", result.num_known},
                                 {"strangers", result.num_strangers},
                                 {"known_sets", names_of(known)},
                                 {"stranger_sets", names_of(strangers)}};
  report_measure("probability", result.probability, report);
  report_measure("cosine", result.cosine, report);
  if (result.log_odds) report_measure("log_odds", *result.log_odds, report);
  report_intervals(known, strangers, config, result, report);
  return report;
}

void write_threshold(const fs::path& path, const ProtocolResult& rejection) {
  ensure(rejection.details.contains("threshold"), "only a rejection result holds a threshold");
  write_file_atomically(path, rejection.details["threshold"].dump(1) + "\n");
}

std::vector<std::string> sets_of(const RejectionProtocol& config) {
  std::vector<std::string> sets = config.known;
  sets.insert(sets.end(), config.strangers.begin(), config.strangers.end());
  return sets;
}

std::vector<std::string> problems_of(const RejectionProtocol& config, const KnownSources& sources) {
  return sources.problems_of_sets({{"known", config.known}, {"strangers", config.strangers}});
}

std::vector<ProtocolResult> measure(const std::string& name, const RejectionProtocol& config,
                                    EvalContext& context) {
  const std::vector<ClassifiedSet> known = context.sets.classified(config.known),
                                   strangers = context.sets.classified(config.strangers);
  ProtocolResult result = run_rejection(name, known, strangers, config);
  if (context.pictures) add_hardest(known, strangers, context.sets, result);
  if (context.writes) write_threshold(context.file(name, ".threshold.json"), result);
  return {std::move(result)};
}

}  // namespace uir
