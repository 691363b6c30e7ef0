#include "uir/eval/rejection.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "uir/base/error.h"
#include "uir/eval/context.h"
#include "uir/eval/quantile.h"
#include "uir/report/report.h"

namespace uir {
namespace {

// Probabilities of strangers rank no models: a network whose recognition is ruined can have better ones
// (docs/protocols.md).
constexpr NamedMeaning kMeanings[] = {{"known_rank", kHigherRate},
                                      {"known_accepted", kHigherRate},
                                      {"strangers_rejected", kHigherRate},
                                      {"strangers_below", kHigherRate},
                                      {"strangers_accepted", kPlainRate}};

constexpr std::array kQuantiles{0.01, 0.05, 0.25, 0.50, 0.75, 0.95, 0.99};
constexpr size_t kHistogramBins = 20;

// One measure (cosine or probability) of all faces on either side.
struct Values {
  std::vector<float> known, known_right,
      strangers;  // known_right: of the known faces put into the right class
};

void check_sets(std::span<const ClassifiedSet> sets, std::string_view role, bool labeled) {
  int64_t faces = 0;
  for (const ClassifiedSet& set : sets) {
    ensure(set.classes.cols == 3 && static_cast<int64_t>(set.labels.size()) == set.classes.rows,
           "a classified set has [N, 3] classes and N labels");
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
                 size_t column) {
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

KeepResult keep_known(const Values& values, double keep) {
  // The k-th largest known face is the last that has to be kept.
  const size_t k = std::max<size_t>(count_of_share(keep, values.known.size()), 1);
  const float threshold = values.known[values.known.size() - k];
  const size_t n = values.strangers.size();
  return {keep, threshold, share(static_cast<int64_t>(n) - accepted(values.strangers, threshold), n)};
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

RejectionCurve curve_of(const Values& values, const RejectionProtocol& config) {
  RejectionCurve curve;
  for (double keep : config.keep) curve.keep.push_back(keep_known(values, keep));
  curve.chosen = choose_threshold(values, config.false_acceptance);
  return curve;
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

Json distribution_json(const ValueDistribution& of) {
  Json quantiles = Json::object();
  for (const auto& [q, value] : of.quantiles) quantiles[name_with_rate("q", q)] = value;
  return {{"mean", of.mean},
          {"quantiles", quantiles},
          {"histogram", {{"low", of.low}, {"high", of.high}, {"counts", of.histogram}}}};
}

Json distributions_json(const SideDistributions& sides) {
  return {{"known", distribution_json(sides.known)}, {"strangers", distribution_json(sides.strangers)}};
}

Json threshold_json(const ThresholdChoice& chosen) {
  return {{"threshold", chosen.threshold},
          {"strangers_accepted", chosen.strangers_accepted},
          {"known_accepted", chosen.known_accepted},
          {"known_accepted_right", chosen.known_accepted_right}};
}

void report_curve(std::string_view measure, const RejectionCurve& curve, ProtocolResult& report) {
  for (const KeepResult& keep : curve.keep) {
    report.number(concat(name_with_rate("strangers_rejected_keeping", keep.keep), "_by_", measure),
                  keep.strangers_below);
    report.details["keep"].push_back({{"measure", measure},
                                      {"keep", keep.keep},
                                      {"threshold", keep.threshold},
                                      {"strangers_below", keep.strangers_below}});
  }
  report.number(concat("known_accepted_by_", measure), curve.chosen.known_accepted);
  report.number(concat("known_accepted_right_by_", measure), curve.chosen.known_accepted_right);
  report.number(concat("strangers_accepted_by_", measure), curve.chosen.strangers_accepted);
}

Json names_of(std::span<const ClassifiedSet> sets) {
  Json names = Json::array();
  for (const ClassifiedSet& set : sets) names.push_back(set.name);
  return names;
}

}  // namespace

NumberFacts RejectionProtocol::number_facts() { return {kMeanings, {}}; }

RejectionResult measure_rejection(std::span<const ClassifiedSet> known,
                                  std::span<const ClassifiedSet> strangers, const RejectionProtocol& config) {
  check_sets(known, "known faces", true);
  check_sets(strangers, "strangers", false);
  const Values cosine = values_of(known, strangers, 1), probability = values_of(known, strangers, 2);
  RejectionResult result;
  result.num_known = static_cast<int64_t>(cosine.known.size());
  result.num_strangers = static_cast<int64_t>(cosine.strangers.size());
  result.rank1 = share(static_cast<int64_t>(cosine.known_right.size()), cosine.known.size());
  result.cosine = curve_of(cosine, config);
  result.probability = curve_of(probability, config);
  result.cosine_distribution = {distribution(cosine.known, -1, 1), distribution(cosine.strangers, -1, 1)};
  result.probability_distribution = {distribution(probability.known, 0, 1),
                                     distribution(probability.strangers, 0, 1)};
  result.strangers_mean_probability = mean(probability.strangers);
  result.strangers_median_probability = sorted_quantile(probability.strangers, 0.5);
  return result;
}

ProtocolResult run_rejection(const std::string& name, std::span<const ClassifiedSet> known,
                             std::span<const ClassifiedSet> strangers, const RejectionProtocol& config) {
  const RejectionResult result = measure_rejection(known, strangers, config);
  auto report = ProtocolResult::of<RejectionProtocol>(name);
  report.description = concat(
      "Faces of known people (held out from training) and of strangers, each with its best class's cosine "
      "and "
      "probability; a face is accepted when the value is at least a threshold. strangers_rejected_keeping_s: "
      "share of "
      "strangers below the largest threshold that accepts a share s of the known faces. The chosen threshold "
      "is the "
      "smallest that accepts at most a share ",
      config.false_acceptance, " of the strangers.");
  report.count("known_faces", result.num_known);
  report.count("strangers", result.num_strangers);
  report.number("known_rank1", result.rank1);
  report.number("strangers_mean_probability", result.strangers_mean_probability);
  report.number("strangers_median_probability", result.strangers_median_probability);
  report_curve("probability", result.probability, report);
  report_curve("cosine", result.cosine, report);
  report.details["distributions"] = {{"probability", distributions_json(result.probability_distribution)},
                                     {"cosine", distributions_json(result.cosine_distribution)}};
  report.details["threshold"] = {{"format", "uir-threshold"},
                                 {"version", 1},
                                 {"rule", "accept when value >= threshold"},
                                 {"false_acceptance", config.false_acceptance},
                                 {"known_faces", result.num_known},
                                 {"strangers", result.num_strangers},
                                 {"known_sets", names_of(known)},
                                 {"stranger_sets", names_of(strangers)},
                                 {"cosine", threshold_json(result.cosine.chosen)},
                                 {"probability", threshold_json(result.probability.chosen)}};
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
  ProtocolResult result = run_rejection(name, context.sets.classified(config.known),
                                        context.sets.classified(config.strangers), config);
  if (context.writes) write_threshold(context.file(name, ".threshold.json"), result);
  return {std::move(result)};
}

}  // namespace uir
