#include "uir/eval/ijb_identification.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <unordered_map>
#include <utility>

#include "uir/base/error.h"
#include "uir/eval/context.h"
#include "uir/eval/identification_uncertainty.h"
#include "uir/eval/ijb_meta.h"
#include "uir/eval/published.h"
#include "uir/eval/quantile.h"
#include "uir/eval/report_roc.h"
#include "uir/eval/share_uncertainty.h"
#include "uir/eval/template_search.h"
#include "uir/eval/templates.h"
#include "uir/report/report.h"

namespace uir {
namespace {

constexpr NamedMeaning kMeanings[] = {
    {"tpir_at_fpir",
     kHigherRate,
     {"TPIR@FPIR {x}",
      "{value} of the probes of enrolled people are given the right name when {rate} probes of strangers "
      "{is} taken "
      "for somebody."}},
    {"top", kHigherRate, {"rank-{x}", "{value} of the probes have the right person {place}."}}};

std::vector<Reference> published_numbers() {
  return {{"ArcFace R100, MS1MV2",
           kIjbScripts,
           "",
           "",
           {"pooled"},
           {{"probes", 19'593}, {"gallery", 3'531}},
           {"IJB-C", "f + f(mirrored); its norm is kept; it is multiplied by the detector score"},
           {{"top1", .963865}, {"top5", .975399}}}};
}

constexpr std::array<int64_t, 3> kRanks{1, 5, 10};

// One gallery's open-set figures.
class OpenSetFigures {
 public:
  explicit OpenSetFigures(const std::vector<ProbeScores>& probes) {
    for (const ProbeScores& probe : probes) {
      if (probe.mated()) {
        mated_.push_back(probe);
      } else {
        non_mated_.push_back(probe.other);
      }
    }
    std::ranges::sort(non_mated_, std::greater());
  }
  int64_t num_mated() const { return static_cast<int64_t>(mated_.size()); }
  int64_t num_non_mated() const { return static_cast<int64_t>(non_mated_.size()); }
  bool defined() const { return num_mated() > 0 && num_non_mated() > 0; }
  int64_t hits(int64_t k) const {
    return std::ranges::count_if(mated_, [&](const ProbeScores& p) { return p.within(k); });
  }
  double threshold(double fpir) const {
    const auto entry = static_cast<int64_t>(static_cast<double>(num_non_mated()) * fpir) - 1;
    return non_mated_[std::max<int64_t>(entry, 0)];
  }
  double tpir(double threshold) const {
    const auto found = std::ranges::count_if(
        mated_, [&](const ProbeScores& p) { return p.own > p.other && p.own > threshold; });
    return share(found, num_mated());
  }
  // Share of non-mated probes above the threshold.
  double fpir(double threshold) const {
    return share(std::ranges::count_if(non_mated_, [&](double s) { return s > threshold; }), num_non_mated());
  }
  // Detection error trade-off: FPIR, FNIR = 1 − TPIR and threshold at some of the non-mated probes' scores.
  Json det_curve() const {
    constexpr int kPoints = 100;
    Json points = Json::array();
    double last = std::numeric_limits<double>::infinity();
    for (int i = 0; i <= kPoints; ++i) {
      const double rank = std::pow(static_cast<double>(num_non_mated()), static_cast<double>(i) / kPoints);
      const double t = non_mated_[std::min(static_cast<int64_t>(rank), num_non_mated()) - 1];
      if (t != last) points.push_back({fpir(t), 1 - tpir(t), t});
      last = t;
    }
    return {{"columns", {"fpir", "fnir", "threshold"}}, {"points", points}};
  }

 private:
  std::vector<ProbeScores> mated_;
  std::vector<double> non_mated_;  // best scores, highest first
};

void report_gallery(const OpenSetFigures& figures, const std::string& prefix, std::span<const double> fpirs,
                    ProtocolResult& result) {
  for (double fpir : fpirs) {
    const std::string number = name_with_rate(prefix + ".tpir_at_fpir", fpir);
    if (!figures.defined()) {
      result.undefined(number, "the gallery has no mated or no non-mated probes");
      continue;
    }
    const double threshold = figures.threshold(fpir);
    result.number(number, figures.tpir(threshold));
    result.details[prefix]["thresholds"].push_back(
        {{"fpir", fpir}, {"threshold", threshold}, {"achieved_fpir", figures.fpir(threshold)}});
  }
  if (figures.defined()) result.details[prefix]["det"] = figures.det_curve();
}

// The subjects of galleries and probes, numbered from 0.
std::unordered_map<int64_t, int64_t> number_subjects(const IjbSearch& search) {
  std::unordered_map<int64_t, int64_t> numbers;
  for (const auto* entries : {&search.galleries[0], &search.galleries[1], &search.probes}) {
    for (const IjbEntry& entry : *entries) numbers.try_emplace(entry.subject, std::ssize(numbers));
  }
  return numbers;
}

// Of the share of all probes that hit.
template <class Hits>
Uncertainty of_probes(const IjbSearch& search, Hits&& hits) {
  const std::unordered_map<int64_t, int64_t> subjects = number_subjects(search);
  std::vector<double> found;
  std::vector<int64_t> subject;
  double sum = 0;
  for (size_t p = 0; p < search.probes.size(); ++p) {
    found.push_back(hits(p));
    subject.push_back(subjects.at(search.probes[p].subject));
    sum += found.back();
  }
  const auto probes = static_cast<int64_t>(found.size());
  return share_uncertainty(sum / static_cast<double>(probes), probes,
                           {share_influences(found, subject, std::ssize(subjects))});
}

// Of TPIR at FPIR, per gallery and of the mean: there each subject is known in one gallery and a stranger to
// the other, so what it does to both is added up.
void report_intervals(const SearchScores& scores, const IjbSearch& search,
                      std::span<const OpenSetFigures> figures, std::span<const double> fpirs,
                      ProtocolResult& result) {
  const std::unordered_map<int64_t, int64_t> subjects = number_subjects(search);
  std::array<std::vector<IdentifiedProbe>, 2> probes;
  for (size_t g = 0; g < 2; ++g) {
    if (!figures[g].defined()) return;
    for (size_t p = 0; p < search.probes.size(); ++p) {
      const ProbeScores& found = scores.galleries[g][p];
      const auto other = subjects.find(found.other_person);
      const OtherScores others{found.other, other == subjects.end() ? -1 : other->second, found.second};
      probes[g].push_back({others, subjects.at(search.probes[p].subject), found.mated(), found.own});
    }
  }
  const IdentificationUncertainty of[2] = {{probes[0], std::ssize(subjects)},
                                           {probes[1], std::ssize(subjects)}};
  for (const double fpir : fpirs) {
    const std::string number = name_with_rate("tpir_at_fpir", fpir);
    Uncertainty uncertainty[2];
    std::vector<double> sum(subjects.size());
    for (size_t g = 0; g < 2; ++g) {
      const auto threshold = [&](double rate) { return figures[g].threshold(rate); };
      uncertainty[g] = of[g].dir(fpir, threshold);
      const std::vector<double> influences = of[g].dir_influences(fpir, threshold);
      for (size_t i = 0; i < sum.size(); ++i) sum[i] += influences[i] / 2;
      result.set_uncertainty(concat("g", g + 1, ".", number), uncertainty[g]);
    }
    const bool first = uncertainty[0].impostor_events < uncertainty[1].impostor_events;
    Uncertainty mean = uncertainty[first ? 0 : 1];  // where less stands behind it
    if (mean.resolution != Resolution::kNotResolved) {
      const Resolution resolution = mean.resolution;
      mean = share_uncertainty(result.value_of("mean." + number),
                               figures[0].num_mated() + figures[1].num_mated(), {std::move(sum)});
      if (mean.has_interval()) mean.resolution = resolution;
    }
    result.set_uncertainty("mean." + number, std::move(mean));
  }
}

ProtocolResult report_open_set(const SearchScores& scores, const IjbSearch& search,
                               std::span<const double> fpirs) {
  auto result = ProtocolResult::of<IjbIdentificationProtocol>("");
  const OpenSetFigures figures[2] = {OpenSetFigures(scores.galleries[0]),
                                     OpenSetFigures(scores.galleries[1])};
  warn_of_unresolved_rates("IJB 1:N", fpirs,
                           std::min(figures[0].num_non_mated(), figures[1].num_non_mated()));
  for (size_t g = 0; g < 2; ++g) {
    const std::string prefix = concat("g", g + 1);
    result.count(prefix + ".gallery", static_cast<int64_t>(search.galleries[g].size()));
    result.count(prefix + ".mated_probes", figures[g].num_mated());
    result.count(prefix + ".non_mated_probes", figures[g].num_non_mated());
    report_gallery(figures[g], prefix, fpirs, result);
  }
  for (double fpir : fpirs) {
    const std::string number = name_with_rate("tpir_at_fpir", fpir);
    const double mean = (result.value_of("g1." + number) + result.value_of("g2." + number)) / 2;
    if (std::isnan(mean)) {
      result.undefined("mean." + number, "one of the galleries has none");
    } else {
      result.number("mean." + number, mean);
    }
  }
  for (int64_t k : kRanks) {
    result.number(concat("top", k),
                  share(figures[0].hits(k) + figures[1].hits(k), static_cast<int64_t>(search.probes.size())));
    const auto within = [&](size_t p) {
      return scores.galleries[0][p].within(k) || scores.galleries[1][p].within(k);
    };
    result.set_uncertainty(concat("top", k), of_probes(search, within));
  }
  report_intervals(scores, search, figures, fpirs, result);
  result.description =
      "Open set, per gallery: a probe is mated where the gallery holds its subject; threshold: entry "
      "max(int(n x FPIR) - "
      "1, 0) of the n non-mated probes' best scores, descending; TPIR: share of mated probes whose own score "
      "is greater "
      "than every other template's and than the threshold. top-k: (hits in the first + hits in the second "
      "gallery) / "
      "probes; ties count against the probe.";
  return result;
}

ProbeScores pooled(const ProbeScores& a, const ProbeScores& b) {
  ProbeScores both;
  both.own = std::max(a.own, b.own);
  both.other = std::max(a.other, b.other);
  both.others_at_least_own = a.others_at_least_own + b.others_at_least_own;
  return both;
}

ProtocolResult report_pooled(const SearchScores& scores, const IjbSearch& search,
                             std::span<const double> fpirs) {
  auto result = ProtocolResult::of<IjbIdentificationProtocol>("");
  const auto num_probes = static_cast<int64_t>(search.probes.size());
  std::vector<ProbeScores> probes;
  for (int64_t p = 0; p < num_probes; ++p)
    probes.push_back(pooled(scores.galleries[0][p], scores.galleries[1][p]));
  result.count("gallery", static_cast<int64_t>(search.galleries[0].size() + search.galleries[1].size()));
  result.count("mated_probes", std::ranges::count_if(probes, &ProbeScores::mated));
  for (int64_t k : kRanks) {
    const auto hits = std::ranges::count_if(probes, [&](const ProbeScores& p) { return p.within(k); });
    result.number(concat("top", k), share(hits, num_probes));
    result.set_uncertainty(concat("top", k),
                           of_probes(search, [&](size_t p) { return probes[p].within(k); }));
  }
  result.remarks.emplace_back("No intervals of tpir_at_fpir: its threshold is set by pairs, not by probes.");
  for (double fpir : fpirs) {
    const std::string number = name_with_rate("tpir_at_fpir", fpir);
    const auto rank = static_cast<size_t>(std::ceil(static_cast<double>(num_probes) * fpir));
    if (rank > scores.highest_non_mate.size()) {
      result.undefined(number, "there are fewer non-mate scores than probes x FPIR");
      continue;
    }
    const double threshold = scores.highest_non_mate[rank - 1];
    const auto found = std::ranges::count_if(probes, [&](const ProbeScores& p) { return p.own > threshold; });
    result.number(number, share(found, num_probes));
    result.details["thresholds"].push_back({{"fpir", fpir}, {"threshold", threshold}});
  }
  result.description =
      "Pooled galleries, the form of older tables: threshold: the ceil(probes x FPIR)-th largest score of a "
      "probe with a "
      "template of another subject; TPIR: share of all probes whose own score is greater, whatever their "
      "rank. top-k: "
      "hits / probes; ties count against the probe.";
  return result;
}

}  // namespace

NumberFacts IjbIdentificationProtocol::number_facts() {
  static const std::vector<Reference> kPublished = published_numbers();
  return {kMeanings, kPublished};
}

std::vector<ProtocolResult> run_ijb_identification(const std::string& name, const EmbeddingStore& set,
                                                   const IjbIdentificationProtocol& protocol, int threads) {
  if (protocol.flip && !set.mirrored()) {
    fail(ErrorKind::kConfig, "flip: true, but ", set.folder().string(),
         " holds no mirrored embeddings; extract them, or set flip: false for this protocol");
  }
  const TemplateVariant variant{protocol.flip, protocol.keep_norm, protocol.detector_score};
  const IjbFiles files = ijb_files(protocol.meta.value, protocol.benchmark);
  const IjbImages images = read_ijb_images(files, threads);
  const IjbSearch search = read_ijb_search(files, images.templates, threads);
  const std::vector<int64_t> rows = ijb_rows(images, set);
  const std::vector<CanonicalVectors> templates =
      build_templates(images, rows, set.embeddings(), set.mirrored(), std::span(&variant, 1), threads);

  const auto num_probes = static_cast<int64_t>(search.probes.size());
  const SearchScores scores = search_galleries(templates.front(), search, num_probes, threads);
  std::vector<ProtocolResult> results{report_open_set(scores, search, protocol.fpir),
                                      report_pooled(scores, search, protocol.fpir)};
  const std::string completeness = compare_with_published(
      protocol.benchmark,
      {{"images", images.size()},
       {"templates", images.templates.size()},
       {"probes", num_probes},
       {"gallery templates", std::ssize(search.galleries[0]) + std::ssize(search.galleries[1])}});
  const int64_t zeros = num_zero_images(rows, set.embeddings());
  constexpr std::array kForms{"open_set", "pooled"};
  for (size_t form = 0; form < results.size(); ++form) {
    ProtocolResult& result = results[form];
    result.name = concat(name, "/", kForms[form]);
    result.description = concat(protocol.benchmark == IjbBenchmark::kIjbc ? "IJB-C" : "IJB-B",
                                " 1:N, galleries ", files.gallery_names[0], " and ", files.gallery_names[1],
                                ". ", variant.words(), " ", result.description, completeness);
    result.count("templates", images.templates.size());
    result.count("probes", num_probes);
    if (zeros > 0) result.count("images_of_zero_length", zeros);
  }
  return results;
}

std::vector<std::string> sets_of(const IjbIdentificationProtocol& config) { return {config.set}; }

std::vector<std::string> problems_of(const IjbIdentificationProtocol& config, const KnownSources& sources) {
  return sources.problems_of_sets({{"set", {config.set}}});
}

std::vector<ProtocolResult> measure(const std::string& name, const IjbIdentificationProtocol& config,
                                    EvalContext& context) {
  return run_ijb_identification(name, context.sets.store(config.set), config, context.threads());
}

}  // namespace uir
