#include "uir/eval/ijb_verification.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "uir/base/error.h"
#include "uir/eval/context.h"
#include "uir/eval/ijb_meta.h"
#include "uir/eval/pair_people.h"
#include "uir/eval/pair_uncertainty.h"
#include "uir/eval/published.h"
#include "uir/eval/report_roc.h"
#include "uir/eval/sort.h"
#include "uir/eval/template_pairs.h"
#include "uir/eval/templates.h"
#include "uir/report/report.h"
#include "uir/search/exact_scores.h"

namespace uir {
namespace {

constexpr NamedMeaning kMeanings[] = {
    {"auc", kHigherRate, kAucWords},  {"eer", kLowerRate, kEerWords}, {"tar_at_far", kHigherRate, kTarWords},
    {"tar_nearest_far", kHigherRate}, {"achieved_far", kPlainRate},   {"tar_at_common", kHigherRate},
    {"far_at_common", kPlainRate}};

constexpr std::string_view kUirPaper =
    "H. Yu et al., Unknown Identity Rejection Loss: Utilizing Unlabeled Data for Face Recognition, ICCV 2019 "
    "workshops, "
    "arXiv:1910.10896, IJB-C table";
constexpr std::string_view kUirNote =
    "The paper has two norm settings and does not say which of them keeps the norm, nor whether faces are "
    "weighted by detector score: both stand beside either variant.";
constexpr std::string_view kArcfaceTorch =
    "InsightFace (github.com/deepinsight/insightface, recognition/arcface_torch): published models";

const Reference::Counts kIjbcPairs{{"genuine_pairs", 19'557}, {"impostor_pairs", 15'638'932}};

// TAR at FAR 1e-6 … 1e-1, read by scikit-learn's rule as in all published tables of this benchmark.
std::vector<std::pair<std::string_view, double>> tars(const double (&values)[6]) {
  constexpr std::string_view kNames[] = {"tar_nearest_far_1e-06",  "tar_nearest_far_1e-05",
                                         "tar_nearest_far_0.0001", "tar_nearest_far_0.001",
                                         "tar_nearest_far_0.01",   "tar_nearest_far_0.1"};
  std::vector<std::pair<std::string_view, double>> numbers;
  for (size_t i = 0; i < 6; ++i) numbers.emplace_back(kNames[i], values[i]);
  return numbers;
}

Reference ijbc(std::string_view model, std::vector<std::string_view> variant, const double (&values)[6]) {
  return {model, kIjbScripts, "", "", std::move(variant), kIjbcPairs, {"IJB-C"}, tars(values)};
}

Reference arcface_torch(std::string_view model, double tar_1e5, double tar_1e4) {
  return {model,
          kArcfaceTorch,
          "",
          "",
          {"flip", "norm_kept", "score"},
          kIjbcPairs,
          {"IJB-C"},
          {{"tar_nearest_far_1e-05", tar_1e5}, {"tar_nearest_far_0.0001", tar_1e4}}};
}

Reference uir_paper(std::string_view model, std::string_view flip, const double (&values)[6]) {
  return {model, kUirPaper, kUirNote, "", {flip}, kIjbcPairs, {"IJB-C"}, tars(values)};
}

std::vector<Reference> published_numbers() {
  return {
      ijbc("ArcFace R100, MS1MV2", {"flip", "norm_kept", "score"},
           {.898451, .944726, .962775, .975252, .983638, .990796}),
      ijbc("ArcFace R100, MS1MV2", {"flip", "norm_removed", "score"},
           {.882855, .940021, .96073, .974638, .983331, .991001}),
      arcface_torch("ArcFace R50, MS1MV2", .9407, .9597),
      arcface_torch("ArcFace MBF, MS1MV2", .9028, .9361),
      arcface_torch("ArcFace R50, MS1MV3", .9447, .9637),
      uir_paper("R100 baseline, first norm setting", "no_flip", {.8966, .9470, .9657, .9764, .9843, .9903}),
      uir_paper("R100 UIR, first norm setting", "no_flip", {.9146, .9496, .9670, .9768, .9842, .9906}),
      uir_paper("R100 baseline, second norm setting", "no_flip", {.8882, .9442, .9647, .9760, .9840, .9902}),
      uir_paper("R100 UIR, second norm setting", "no_flip", {.9035, .9460, .9655, .9765, .9838, .9904}),
      uir_paper("R100 baseline, first norm setting", "flip", {.8907, .9480, .9677, .9778, .9848, .9911}),
      uir_paper("R100 UIR, first norm setting", "flip", {.9136, .9512, .9690, .9781, .9846, .9912}),
      uir_paper("R100 baseline, second norm setting", "flip", {.8842, .9445, .9666, .9771, .9843, .9907}),
      uir_paper("R100 UIR, second norm setting", "flip", {.9022, .9467, .9676, .9773, .9844, .9911}),
  };
}

void report_nearest(const PairScores& sorted, std::span<const double> fars, ProtocolResult& result) {
  if (sorted.genuine.empty() || sorted.impostor.empty()) {
    for (double far : fars)
      result.undefined(name_with_rate("tar_nearest_far", far), "it needs genuine and impostor pairs");
    return;
  }
  const std::vector<RocPoint> kept = kept_points(sorted.genuine, sorted.impostor);
  Json points = Json::array();
  for (double far : fars) {
    const RocPoint point = nearest(kept, far);
    result.number(name_with_rate("tar_nearest_far", far), point.tar);
    points.push_back(
        {{"far", far}, {"achieved_far", point.far}, {"tar", point.tar}, {"threshold", point.threshold}});
  }
  result.details["nearest"] = points;
}

constexpr int64_t kPairBlock = 1 << 16;

Roc make_roc(std::span<const double> scores, const PairGroups& pairs, int threads) {
  std::vector<double> genuine;
  for (size_t p = 0; p < scores.size(); ++p) {
    if (pairs.partners()[p].genuine) genuine.push_back(scores[p]);
  }
  const Roc empty(std::move(genuine));
  Roc roc = empty;
  reduce_blocks(
      std::ssize(scores), kPairBlock, threads, empty.counter(),
      [&](Roc::Counter& counter, int64_t begin, int64_t end) {
        for (int64_t p = begin; p < end; ++p) {
          if (!pairs.partners()[p].genuine) empty.count(scores[p], counter);
        }
      },
      [&](const Roc::Counter& counter) { roc.merge(counter); });
  return roc;
}

// The subjects, as far as the list tells: the templates that its genuine pairs join.
PairPeople subjects_of(const PairGroups& pairs, int64_t num_templates) {
  JoinedRows templates(num_templates);
  for (const int32_t column : pairs.columns()) templates.join(column, column);
  for (size_t row = 0; row < pairs.rows().size(); ++row) {
    const int32_t first = pairs.rows()[row];
    templates.join(first, first);
    for (int64_t p = pairs.begin(row); p < pairs.begin(row + 1); ++p) {
      const PairGroups::Partner partner = pairs.partners()[p];
      if (partner.genuine) templates.join(first, pairs.columns()[partner.column]);
    }
  }
  return templates.people();
}

PeopleTally tally_of(const PairUncertainty& uncertainty, std::span<const double> scores,
                     const PairGroups& pairs, const PairPeople& subjects, int threads) {
  std::vector<int64_t> of_column;
  for (const int32_t column : pairs.columns()) of_column.push_back(subjects.unit[column]);
  const PeopleTally empty = uncertainty.empty_tally(subjects.size);
  PeopleTally result = empty;
  constexpr int64_t kRows = 16;
  reduce_blocks(
      std::ssize(pairs.rows()), kRows, threads, empty,
      [&](PeopleTally& tally, int64_t begin, int64_t end) {
        for (int64_t row = begin; row < end; ++row) {
          const int64_t subject = subjects.unit[pairs.rows()[row]];
          for (int64_t p = pairs.begin(row); p < pairs.begin(row + 1); ++p) {
            const PairGroups::Partner partner = pairs.partners()[p];
            if (partner.genuine) {
              tally.genuine(subject, scores[p]);
            } else {
              tally.impostor(subject, of_column[partner.column], scores[p]);
            }
          }
        }
      },
      [&](const PeopleTally& tally) { result.add(tally); });
  return result;
}

// scores: of the list's pairs, in the groups' order; common: thresholds for the rates that were chosen
// elsewhere, or none.
void report_scores(std::vector<double> scores, const PairGroups& pairs, const PairPeople& subjects,
                   std::span<const double> fars, std::span<const double> common, int threads,
                   ProtocolResult& result) {
  const Roc roc = make_roc(scores, pairs, threads);
  result.count("genuine_pairs", roc.num_genuine());
  result.count("impostor_pairs", roc.num_impostor());
  report_roc(roc, fars, result);
  if (roc.defined()) {
    const PairUncertainty uncertainty(roc, fars, common, PairUncertainty::kBandPoints);
    const PeopleTally tally = tally_of(uncertainty, scores, pairs, subjects, threads);
    uncertainty.report(tally, "", result);
    if (!common.empty()) uncertainty.report_common(tally, "", result);
  } else {
    CommonRates rates(common);
    for (size_t p = 0; p < scores.size(); ++p) rates.add(pairs.partners()[p].genuine, scores[p]);
    rates.report(fars, result);
  }
  PairScores sorted = by_kind(std::move(scores), pairs);
  sort_descending(sorted.genuine, threads);
  sort_descending(sorted.impostor, threads);
  report_nearest(sorted, fars, result);
}

// A part of the pairs, as a list of its own.
struct IjbPart {
  PairGroups pairs;
  PairPeople subjects;
};

// The parts of a list of pairs; none where it is not split.
struct IjbParts {
  std::optional<PairParts> parts;
  std::vector<IjbPart> lists;

  IjbParts(const SplitOptions& split, std::span<const IjbPair> pairs, const TemplateIds& templates) {
    if (!split.given()) return;
    const AttributeTable table(split, {AttributeOf::kTemplate, AttributeOf::kPair});
    const bool by_pair = table.about() == AttributeOf::kPair;
    std::vector<bool> needed(static_cast<size_t>(by_pair ? std::ssize(pairs) : templates.size()), by_pair);
    for (const IjbPair& pair : pairs) {
      if (!by_pair) needed[pair.first] = needed[pair.second] = true;
    }
    const Groups groups = table.groups(
        std::ssize(needed), [&](int64_t i) { return std::to_string(by_pair ? i + 1 : templates.id(i)); },
        needed);
    const auto sides = [&](size_t p) {
      return by_pair ? std::pair(groups.of[p], groups.of[p])
                     : std::pair(groups.of[pairs[p].first], groups.of[pairs[p].second]);
    };
    parts.emplace(table, groups.names);
    for (size_t p = 0; p < pairs.size(); ++p) parts->count(sides(p).first, sides(p).second, pairs[p].genuine);
    parts->close();
    std::vector<std::vector<IjbPair>> of_part(static_cast<size_t>(parts->size()));
    for (size_t p = 0; p < pairs.size(); ++p) {
      const int64_t part = parts->part(sides(p).first, sides(p).second);
      if (part >= 0) of_part[static_cast<size_t>(part)].push_back(pairs[p]);
    }
    for (std::vector<IjbPair>& list : of_part) {
      PairGroups of_list(std::exchange(list, {}), templates.size());
      PairPeople subjects = subjects_of(of_list, templates.size());
      lists.push_back({std::move(of_list), std::move(subjects)});
    }
  }

  void report(const CanonicalVectors& templates, std::span<const double> fars, int threads,
              ProtocolResult& whole) const {
    if (!parts) return;
    const std::vector<double> common = thresholds_of(whole);
    parts->report(
        [&](int64_t part) {
          const IjbPart& list = lists[static_cast<size_t>(part)];
          auto result = ProtocolResult::of<IjbVerificationProtocol>("");
          report_scores(score_pairs(templates, list.pairs, threads), list.pairs, list.subjects, fars, common,
                        threads, result);
          return result;
        },
        whole);
  }
};

}  // namespace

NumberFacts IjbVerificationProtocol::number_facts() {
  static const std::vector<Reference> kPublished = published_numbers();
  return {kMeanings, kPublished};
}

std::vector<ProtocolResult> run_ijb_verification(const std::string& name, const EmbeddingStore& set,
                                                 const IjbVerificationProtocol& protocol, int threads) {
  const std::vector<TemplateVariant> variants =
      template_variants(protocol.variants, set.mirrored().has_value());
  const IjbFiles files = ijb_files(protocol.meta.value, protocol.benchmark);
  const IjbImages images = read_ijb_images(files, threads);
  std::vector<IjbPair> list = read_ijb_pairs(files.pairs, images.templates, threads);
  const IjbParts parts(protocol.split, list, images.templates);
  const PairGroups pairs(std::exchange(list, {}), images.templates.size());
  const std::vector<int64_t> rows = ijb_rows(images, set);
  std::vector<CanonicalVectors> templates =
      build_templates(images, rows, set.embeddings(), set.mirrored(), variants, threads);

  const std::string completeness =
      compare_with_published(protocol.benchmark, {{"images", images.size()},
                                                  {"templates", images.templates.size()},
                                                  {"pairs", std::ssize(pairs.partners())}});
  const int64_t zeros = num_zero_images(rows, set.embeddings());

  const PairPeople subjects = subjects_of(pairs, images.templates.size());
  if (!variants.empty()) warn_of_unresolved_rates(name, protocol.far, pairs.size() - pairs.num_genuine());
  std::vector<ProtocolResult> results;
  for (size_t v = 0; v < variants.size(); ++v) {
    ProtocolResult& result = results.emplace_back(
        ProtocolResult::of<IjbVerificationProtocol>(concat(name, "/", variants[v].name())));
    result.description = concat(protocol.benchmark == IjbBenchmark::kIjbc ? "IJB-C" : "IJB-B",
                                " 1:1 over the listed pairs of templates. ", variants[v].words(),
                                " tar_at_far: the largest TAR with FAR <= target; tar_nearest_far: the point "
                                "of scikit-learn's roc_curve whose "
                                "FAR is nearest to the target, as in published tables.",
                                completeness);
    result.count("images", images.size());
    if (zeros > 0) result.count("images_of_zero_length", zeros);
    result.count("templates", images.templates.size());
    const CanonicalVectors of_variant = std::exchange(templates[v], {});
    report_scores(score_pairs(of_variant, pairs, threads), pairs, subjects, protocol.far, {}, threads,
                  result);
    parts.report(of_variant, protocol.far, threads, result);
  }
  return results;
}

std::vector<std::string> sets_of(const IjbVerificationProtocol& config) { return {config.set}; }

std::vector<std::string> problems_of(const IjbVerificationProtocol& config, const KnownSources& sources) {
  std::vector<std::string> problems = sources.problems_of_sets({{"set", {config.set}}});
  add_split_problems(config.split, problems);
  return problems;
}

std::vector<ProtocolResult> measure(const std::string& name, const IjbVerificationProtocol& config,
                                    EvalContext& context) {
  return run_ijb_verification(name, context.sets.store(config.set), config, context.threads());
}

}  // namespace uir
