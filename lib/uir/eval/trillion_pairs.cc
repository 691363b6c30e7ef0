#include "uir/eval/trillion_pairs.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <numeric>

#include "uir/base/error.h"
#include "uir/base/parallel.h"
#include "uir/base/progress.h"
#include "uir/eval/context.h"
#include "uir/eval/distractor_search.h"
#include "uir/eval/items.h"
#include "uir/eval/mismatch_search.h"
#include "uir/eval/published.h"
#include "uir/eval/report_roc.h"
#include "uir/report/report.h"
#include "uir/search/pair_scan.h"
#include "uir/search/tail_search.h"

namespace uir {
namespace {

constexpr NamedMeaning kMeanings[] = {{"tpr_at_fpr", kHigherRate},
                                      {"identification_tpr_at_fpr", kHigherRate},
                                      {"identification_rank", kHigherRate}};

constexpr std::string_view kChallengeNote =
    "Published in May 2019; the organisers cleaned the labels of the image track in June 2019.";

std::vector<Reference> published_numbers() {
  const auto image_track = [](std::string_view model, double tpr) {
    return Reference{model,
                     kChallengeBaselines,
                     kChallengeNote,
                     "lfr",
                     {},
                     {},
                     {"Impostor pairs (all)"},
                     {{"tpr_at_fpr_1e-08", tpr}}};
  };
  return {image_track("MobileFaceNet y2", .64691), image_track("R100", .80312)};
}

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// The set, taken apart. Positions are those in `rows`.
struct Parts {
  UnitRows gallery, distractors;
  std::vector<int64_t> labels;  // of the gallery
  std::vector<std::vector<int64_t>>
      identities;  // positions in the gallery, of identities with two or more images

  int64_t gallery_pairs() const { return gallery.size() * (gallery.size() - 1) / 2; }
  int64_t genuine_pairs() const {
    int64_t pairs = 0;
    for (const auto& images : identities)
      pairs += static_cast<int64_t>(images.size() * (images.size() - 1) / 2);
    return pairs;
  }
};

Parts take_apart(const UnitRows& vectors, std::span<const int64_t> labels) {
  ensure(static_cast<int64_t>(labels.size()) == vectors.size(), "one label per row");
  std::vector<int64_t> gallery, distractors, gallery_labels;
  for (int64_t row = 0; row < vectors.size(); ++row)
    (labels[row] >= 0 ? gallery : distractors).push_back(row);
  if (gallery.empty()) {
    fail(ErrorKind::kData,
         "no row has a label, so there is no gallery; expected labels >= 0 for the gallery and -1 for "
         "distractors: from the set, or from a list 'image label' that the protocol names (labels)");
  }
  for (int64_t row : gallery) gallery_labels.push_back(labels[row]);

  std::vector<int64_t> order(gallery.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, {}, [&](int64_t i) { return gallery_labels[i]; });
  std::vector<std::vector<int64_t>> identities;
  for (size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && gallery_labels[order[end]] == gallery_labels[order[begin]]) ++end;
    if (end - begin >= 2) identities.emplace_back(order.begin() + begin, order.begin() + end);
  }
  return {vectors.subset(std::move(gallery)), vectors.subset(std::move(distractors)),
          std::move(gallery_labels), std::move(identities)};
}

// Calls visit(i, j, score) for all genuine pairs i < j, on several threads; those of one identity come from
// one.
template <class Visit>
void visit_genuine(const Parts& parts, int threads, Visit&& visit) {
  Progress progress("scoring genuine pairs", "pairs", parts.genuine_pairs());
  const auto identities = static_cast<int64_t>(parts.identities.size());
  const auto dim = static_cast<size_t>(parts.gallery.dim());
  parallel_blocks(identities, 1, threads, [&](int64_t begin, int64_t) {
    const std::vector<int64_t>& images = parts.identities[begin];
    std::vector<float> vectors(images.size() * dim);
    const auto vector = [&](size_t k) { return std::span(vectors).subspan(k * dim, dim); };
    for (size_t k = 0; k < images.size(); ++k) parts.gallery.read(images[k], vector(k));
    for (size_t a = 0; a < images.size(); ++a) {
      for (size_t b = a + 1; b < images.size(); ++b) visit(images[a], images[b], score(vector(a), vector(b)));
    }
    progress.add(static_cast<int64_t>(images.size() * (images.size() - 1) / 2));
  });
}

// Each gallery image's best score with its own identity; −infinity where there is no other image of it.
std::vector<double> own_scores(const Parts& parts, int threads) {
  std::vector<double> own(static_cast<size_t>(parts.gallery.size()), -kInfinity);
  visit_genuine(parts, threads, [&](int64_t i, int64_t j, double score) {
    own[i] = std::max(own[i], score);
    own[j] = std::max(own[j], score);
  });
  return own;
}

constexpr std::string_view kScans[] = {"distractors", "impostors", "mismatches"};

fs::path state_of(const fs::path& state, std::string_view scan) {
  if (state.empty()) return {};
  return state.string() + concat(".", scan, ".state");
}

DividedScanOptions scan_options(const DividedScanOptions& all, std::string_view scan, std::string what) {
  DividedScanOptions options = all;
  options.what = std::move(what);
  options.state = state_of(all.state, scan);
  return options;
}

// Where at most k impostors are accepted: scores above `limit`, the (k+1)-th best one.
struct Limit {
  double rate = 0;
  int64_t allowed = 0;
  double limit = -kInfinity;  // every score is above it: all are allowed
};

Limit limit_of(double rate, int64_t n, const std::vector<ScoreCount>& best) {
  Limit limit{rate, allowed_at_most(n, rate)};
  int64_t seen = 0;
  for (const ScoreCount& s : best) {
    seen += s.count;
    if (seen > limit.allowed) {
      limit.limit = s.score;
      break;
    }
  }
  ensure(limit.allowed >= n || seen > limit.allowed, "the tail holds the deciding score");
  return limit;
}

int64_t accepted(const std::vector<ScoreCount>& best, double threshold) {
  int64_t count = 0;
  for (const ScoreCount& s : best) count += s.score >= threshold ? s.count : 0;
  return count;
}

// How many of the best of n scores decide the rates.
int64_t deciding(const std::vector<double>& rates, int64_t n) {
  int64_t most = 0;
  for (double rate : rates) most = std::max(most, allowed_at_most(n, rate) + 1);
  return std::min(most, std::max<int64_t>(n, 1));
}

// Genuine pairs above each limit.
struct Above {
  int64_t count = 0;
  double lowest = kInfinity;
};
std::vector<Above> genuine_above(const Parts& parts, const std::vector<Limit>& limits, int threads) {
  std::vector<Above> total(limits.size());
  std::mutex mutex;
  visit_genuine(parts, threads, [&](int64_t, int64_t, double score) {
    for (size_t k = 0; k < limits.size(); ++k) {
      if (score <= limits[k].limit) continue;
      std::lock_guard lock(mutex);
      ++total[k].count;
      total[k].lowest = std::min(total[k].lowest, score);
    }
  });
  return total;
}

Json number_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(); }

void report_verification(const Parts& parts, const std::vector<double>& rates, int64_t impostors,
                         const std::vector<ScoreCount>& best, int threads, ProtocolResult& report) {
  warn_of_unresolved_rates(report.name, rates, impostors);
  const int64_t genuine = parts.genuine_pairs();
  std::vector<Limit> limits;
  for (double rate : rates) limits.push_back(limit_of(rate, impostors, best));
  const std::vector<Above> above = genuine_above(parts, limits, threads);
  Json thresholds = Json::array();
  for (size_t k = 0; k < rates.size(); ++k) {
    const std::string number = name_with_rate("tpr_at_fpr", rates[k]);
    if (genuine == 0) {
      report.undefined(number, "there are no pairs of the same person");
      continue;
    }
    const double tpr = static_cast<double>(above[k].count) / static_cast<double>(genuine);
    report.number(number, tpr);
    const auto reached =
        static_cast<double>(accepted(best, above[k].lowest)) / static_cast<double>(impostors);
    thresholds.push_back({{"fpr", rates[k]},
                          {"impostors_allowed", limits[k].allowed},
                          {"above", number_or_null(limits[k].limit)},
                          {"threshold", number_or_null(above[k].lowest)},
                          {"achieved_fpr", limits[k].allowed >= impostors ? Json() : Json(reached)},
                          {"tpr", tpr}});
  }
  report.details["thresholds"] = thresholds;
}

void report_identification(const std::vector<double>& rates, const std::vector<double>& own,
                           const MismatchSearch& mismatches, int64_t distractors,
                           const std::vector<double>& best, ProtocolResult& report) {
  int64_t probes = 0, first = 0;
  for (size_t i = 0; i < own.size(); ++i) {
    if (own[i] == -kInfinity) continue;
    ++probes;
    first += !mismatches.beaten(static_cast<int64_t>(i));
  }
  report.count("identification_probes", probes);
  std::vector<ScoreCount> counted;
  for (double score : best) counted.push_back({score, 1});
  Json thresholds = Json::array();
  if (probes > 0) {
    report.number("identification_rank_1", static_cast<double>(first) / static_cast<double>(probes));
  } else {
    report.undefined("identification_rank_1", "no identity has two images");
  }
  for (double rate : rates) {
    const std::string number = name_with_rate("identification_tpr_at_fpr", rate);
    if (probes == 0) {
      report.undefined(number, "no identity has two images");
      continue;
    }
    const Limit limit = limit_of(rate, distractors, counted);
    int64_t hits = 0;
    for (size_t i = 0; i < own.size(); ++i)
      hits += own[i] > limit.limit && !mismatches.beaten(static_cast<int64_t>(i)) && own[i] > -kInfinity;
    const double tpr = static_cast<double>(hits) / static_cast<double>(probes);
    report.number(number, tpr);
    thresholds.push_back({{"fpr", rate},
                          {"distractors_allowed", limit.allowed},
                          {"above", number_or_null(limit.limit)},
                          {"tpr", tpr}});
  }
  report.details["identification_thresholds"] = thresholds;
}

std::string describe_protocol(bool all, bool identification) {
  return concat(
      "Rows with a label are the gallery, rows labeled -1 the distractors. Genuine pairs: all pairs of one "
      "identity "
      "in the gallery. Impostor pairs (",
      all ? "all" : "gallery_x_distractors", "): every gallery image with every distractor",
      all ? ", and all pairs of two identities in the gallery" : "",
      ". TPR at FPR by the rule at_most (the largest TPR whose FPR does not exceed the target), exact with "
      "ties. ",
      identification
          ? "Identification: every gallery image of an identity with two or more images against the rest "
            "of the gallery; a hit scores more with its own identity than with any other, and more than "
            "the threshold that at most the given share of distractors reach by their best gallery score. "
          : "",
      "Score: cosine of the unit vectors. The organisers' evaluator was never published: this is the reading "
      "of the "
      "literature.");
}

}  // namespace

NumberFacts TrillionPairsProtocol::number_facts() {
  static const std::vector<Reference> kPublished = published_numbers();
  return {kMeanings, kPublished};
}

int64_t allowed_at_most(int64_t n, double rate) {
  const auto share = [&](int64_t k) { return static_cast<double>(k) / static_cast<double>(n); };
  if (n <= 0 || share(n) <= rate) return n;
  auto k = static_cast<int64_t>(rate * static_cast<double>(n));
  while (k > 0 && share(k) > rate) --k;
  while (share(k + 1) <= rate) ++k;
  return k;
}

std::vector<fs::path> trillion_pairs_states(const fs::path& state) {
  std::vector<fs::path> files;
  for (std::string_view scan : kScans) files.push_back(state_of(state, scan));
  return files;
}

ProtocolResult run_trillion_pairs(const std::string& name, const UnitRows& vectors,
                                  std::span<const int64_t> labels, const TrillionPairsProtocol& config,
                                  const DividedScanOptions& scan) {
  const bool all = config.impostors == Impostors::kAll, identification = !config.identification_fpr.empty();
  const Parts parts = take_apart(vectors, labels);
  const int64_t distractors = parts.distractors.size();
  if (distractors == 0 && (!all || identification)) {
    fail(ErrorKind::kData,
         "no row has the label -1, so there are no distractors; without them only impostors: all "
         "with identification_fpr: [] can be measured");
  }
  const int64_t impostors =
      parts.gallery.size() * distractors + (all ? parts.gallery_pairs() - parts.genuine_pairs() : 0);
  if (impostors == 0) fail(ErrorKind::kData, "there are no pairs of different people");

  const int64_t tail = deciding(config.fpr, impostors);
  TopScores best(std::max<int64_t>(tail, 1));
  DistractorSearch strangers(best.n(), identification ? deciding(config.identification_fpr, distractors) : 0);
  scan_pairs(parts.gallery, parts.distractors, PairsOf::kRowsAndColumns, strangers,
             scan_options(scan, kScans[0], "gallery x distractors"));
  for (const ScoreCount& s : strangers.pair_scores()) best.add(s.score, s.count);
  if (all) {
    TailSearch inside(best.n(), concat("impostors of ", checksum_hex(std::as_bytes(std::span(parts.labels)))),
                      [&](int64_t i, int64_t j) { return parts.labels[i] != parts.labels[j]; });
    scan_pairs(parts.gallery, parts.gallery, PairsOf::kOneSet, inside,
               scan_options(scan, kScans[1], "gallery x gallery"));
    for (const ScoreCount& s : inside.scores()) best.add(s.score, s.count);
  }

  std::vector<int64_t> identities = parts.labels;
  std::ranges::sort(identities);
  auto report = ProtocolResult::of<TrillionPairsProtocol>(name, describe_protocol(all, identification));
  report.count("gallery_images", parts.gallery.size());
  report.count("identities", std::unique(identities.begin(), identities.end()) - identities.begin());
  report.count("distractors", distractors);
  report.count("genuine_pairs", parts.genuine_pairs());
  report.count("impostor_pairs", impostors);
  report.remarks.emplace_back("No intervals: the search keeps the best scores, not whose they are.");
  report_verification(parts, config.fpr, impostors, best.scores(), scan.resources.threads, report);
  if (identification) {
    const std::vector<double> own = own_scores(parts, scan.resources.threads);
    MismatchSearch mismatches(parts.labels, own);
    scan_pairs(parts.gallery, parts.gallery, PairsOf::kRowsAndColumns, mismatches,
               scan_options(scan, kScans[2], "gallery against gallery"));
    report_identification(config.identification_fpr, own, mismatches, distractors,
                          strangers.distractor_scores(), report);
  }
  return report;
}

std::vector<std::string> sets_of(const TrillionPairsProtocol& config) { return {config.set}; }

std::vector<std::string> problems_of(const TrillionPairsProtocol& config, const KnownSources& sources) {
  std::vector<std::string> problems = sources.problems_of_sets({{"set", {config.set}}});
  if (config.fpr.empty() && config.identification_fpr.empty()) problems.emplace_back("names no rate");
  return problems;
}

std::vector<ProtocolResult> measure(const std::string& name, const TrillionPairsProtocol& config,
                                    EvalContext& context) {
  const EmbeddingStore set = context.sets.store(config.set, config.flip);
  std::vector<int64_t> labels(set.labels().begin(), set.labels().end());
  if (!config.labels.empty()) labels = read_item_labels(config.labels.value, set.items());
  DividedScanOptions scan = context.scan;
  scan.state = context.file(name, scan.slice.count > 1 ? concat(".rank", scan.slice.index) : "");
  for (const fs::path& file : trillion_pairs_states(scan.state)) context.states.push_back(file);
  return {with_flip_test(run_trillion_pairs(name, UnitRows(set), labels, config, scan), set)};
}

}  // namespace uir
