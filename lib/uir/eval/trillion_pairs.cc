#include "uir/eval/trillion_pairs.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "uir/base/error.h"
#include "uir/eval/context.h"
#include "uir/eval/distractor_search.h"
#include "uir/eval/identification_uncertainty.h"
#include "uir/eval/items.h"
#include "uir/eval/mismatch_search.h"
#include "uir/eval/pair_uncertainty.h"
#include "uir/eval/published.h"
#include "uir/eval/report_roc.h"
#include "uir/eval/share_uncertainty.h"
#include "uir/eval/tail_uncertainty.h"
#include "uir/eval/trillion_parts.h"
#include "uir/report/report.h"
#include "uir/search/pair_scan.h"
#include "uir/search/tail_search.h"

namespace uir {
namespace {

constexpr NamedMeaning kMeanings[] = {
    {"tpr_at_fpr",
     kHigherRate,
     {"TPR@FPR {x}",
      "{value} of pairs of one person are accepted when {rate} pairs of different people {is}."}},
    {"identification_tpr_at_fpr",
     kHigherRate,
     {"identification TPR@FPR {x}",
      "{value} of the searches find the right person when {rate} faces of strangers {is} taken for "
      "somebody."}},
    {"identification_rank",
     kHigherRate,
     {"rank-{x}", "{value} of the searches have the right person {place}."}}};

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

// Each gallery image's best score with its own identity; −infinity where there is no other image of it.
std::vector<double> own_scores(const TrillionParts& parts, int threads) {
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

// Where at most `allowed` impostors are accepted: scores above `limit`, the next best one.
struct Limit {
  int64_t allowed = 0;
  double limit = -kInfinity;  // every score is above it: all are allowed
};

// best: of n impostors, the best first; score_of: of one of these. Of fewer than the rate allows, the most
// that `best` decides.
template <class Best, class ScoreOf>
Limit limit_of(double rate, int64_t n, const Best& best, ScoreOf&& score_of) {
  Limit limit{allowed_at_most(n, std::min(rate, 1.0))};
  if (limit.allowed >= n) return limit;
  limit.allowed = std::min<int64_t>(limit.allowed, std::ssize(best) - 1);
  limit.limit = score_of(best[static_cast<size_t>(limit.allowed)]);
  return limit;
}

// How many of the best of n scores decide the rates, and where possible also twice these.
int64_t deciding(const std::vector<double>& rates, int64_t n) {
  int64_t least = 1, most = 1;
  for (const double rate : rates) {
    least = std::max(least, allowed_at_most(n, rate) + 1);
    most = std::max(most, allowed_at_most(n, 2 * rate) + 1);
  }
  return std::min(std::max(least, std::min(most, kMaxTail)), std::max<int64_t>(n, 1));
}

// What is measured at a rate, and beside it, for the slope.
struct RateLimits {
  double rate = 0;
  Limit at, twice, half;
};

// Genuine pairs of each person above each limit.
class GenuineAbove {
 public:
  GenuineAbove(const TrillionParts& parts, const std::vector<RateLimits>& rates, int threads)
      : parts_(parts), limits_(3 * rates.size()), above_(parts.images.size() * limits_) {
    std::vector<double> limits;
    for (const RateLimits& r : rates) limits.insert(limits.end(), {r.at.limit, r.twice.limit, r.half.limit});
    visit_genuine(parts, threads, [&](int64_t i, int64_t, double score) {
      const auto person = static_cast<size_t>(parts.people[static_cast<size_t>(i)]);
      for (size_t k = 0; k < limits.size(); ++k) {
        if (score <= limits[k]) continue;
        Above& above = above_[person * limits_ + k];
        ++above.count;
        above.lowest = std::min(above.lowest, score);
      }
    });
  }
  enum Where : size_t { kAt, kTwice, kHalf };
  int64_t of(size_t person, size_t rate) const { return above_[person * limits_ + 3 * rate].count; }
  int64_t of_all(size_t rate, Where where = kAt) const {
    int64_t count = 0;
    for (size_t i = 3 * rate + where; i < above_.size(); i += limits_) count += above_[i].count;
    return count;
  }
  double lowest(size_t rate) const {
    double lowest = kInfinity;
    for (size_t i = 3 * rate; i < above_.size(); i += limits_) lowest = std::min(lowest, above_[i].lowest);
    return lowest;
  }
  double tpr(size_t rate, Where where = kAt) const {
    return static_cast<double>(of_all(rate, where)) / static_cast<double>(parts_.genuine_pairs());
  }

 private:
  struct Above {
    int64_t count = 0;
    double lowest = kInfinity;
  };
  const TrillionParts& parts_;
  size_t limits_;
  std::vector<Above> above_;
};

// The impostor pairs: how many there are, and the best of them, whose columns are gallery images, and behind
// these the distractors.
struct ImpostorPairs {
  bool all = false;
  int64_t pairs = 0;
  const std::vector<TailPair>& best;
};

Uncertainty uncertainty_of(const TrillionParts& parts, const ImpostorPairs& impostors,
                           const RateLimits& limits, const GenuineAbove& above, size_t rate) {
  const int64_t gallery = parts.gallery.size(), distractors = parts.distractors.size();
  std::vector<TailPairs> people;
  for (size_t i = 0; i < parts.images.size(); ++i) {
    const auto own = static_cast<int64_t>(parts.images[i].size());
    people.push_back({parts.genuine_pairs(i), above.of(i, rate),
                      own * (distractors + (impostors.all ? gallery - own : 0)), 0});
  }
  std::vector<int64_t> of_distractors(static_cast<size_t>(distractors));
  const auto person_of = [&](int64_t image) -> TailPairs& {
    return people[static_cast<size_t>(parts.people[static_cast<size_t>(image)])];
  };
  for (const TailPair& pair : std::span(impostors.best).first(static_cast<size_t>(limits.at.allowed))) {
    ++person_of(pair.row).accepted;
    if (pair.column < gallery) {
      ++person_of(pair.column).accepted;
    } else {
      ++of_distractors[static_cast<size_t>(pair.column - gallery)];
    }
  }
  const double slope = slope_of(above.tpr(rate, GenuineAbove::kTwice), above.tpr(rate, GenuineAbove::kHalf),
                                limits.twice.allowed, limits.half.allowed);
  return tail_uncertainty(
      {parts.genuine_pairs(), above.of_all(rate), impostors.pairs, limits.at.allowed, slope}, people,
      {gallery, of_distractors});
}

Json number_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(); }

void report_verification(const TrillionParts& parts, const std::vector<double>& rates,
                         const ImpostorPairs& impostors, int threads, ProtocolResult& report) {
  warn_of_unresolved_rates(report.name, rates, impostors.pairs);
  std::vector<RateLimits> limits;
  for (const double rate : rates) {
    const auto at = [&](double some) {
      return limit_of(some, impostors.pairs, impostors.best, [](const TailPair& pair) { return pair.score; });
    };
    limits.push_back({rate, at(rate), at(2 * rate), at(rate / 2)});
  }
  const GenuineAbove above(parts, limits, threads);
  Json thresholds = Json::array();
  for (size_t k = 0; k < rates.size(); ++k) {
    const std::string number = name_with_rate("tpr_at_fpr", rates[k]);
    if (parts.genuine_pairs() == 0) {
      report.undefined(number, "there are no pairs of the same person");
      continue;
    }
    report.number(number, above.tpr(k));
    report.set_uncertainty(number, uncertainty_of(parts, impostors, limits[k], above, k));
    const Limit& limit = limits[k].at;
    const double lowest = above.lowest(k);
    const auto reached = static_cast<double>(std::ranges::count_if(
                             impostors.best, [&](const TailPair& pair) { return pair.score >= lowest; })) /
                         static_cast<double>(impostors.pairs);
    thresholds.push_back({{"fpr", rates[k]},
                          {"impostors_allowed", limit.allowed},
                          {"above", number_or_null(limit.limit)},
                          {"threshold", number_or_null(lowest)},
                          {"achieved_fpr", limit.allowed >= impostors.pairs ? Json() : Json(reached)},
                          {"tpr", above.tpr(k)}});
  }
  report.details["thresholds"] = thresholds;
}

// Gallery images that are searched for, and the distractors that any rate could accept.
std::vector<IdentifiedProbe> identified_probes(const TrillionParts& parts, const std::vector<double>& own,
                                               const MismatchSearch& mismatches,
                                               const std::vector<BestColumns::Column>& best) {
  std::vector<IdentifiedProbe> probes;
  for (size_t i = 0; i < own.size(); ++i) {
    if (own[i] == -kInfinity) continue;
    IdentifiedProbe probe{{}, parts.people[i], true, own[i]};
    const int64_t beater = mismatches.beater(static_cast<int64_t>(i));
    if (beater != MismatchSearch::kNobody) probe.other = own[i];
    if (beater == MismatchSearch::kSeveral) probe.second = own[i];
    if (beater >= 0) probe.other_person = beater;
    probes.push_back(probe);
  }
  const int64_t people = std::ssize(parts.images);
  for (const BestColumns::Column& distractor : best)
    probes.push_back({distractor.scores, people + distractor.column, false});
  return probes;
}

void report_identification(const TrillionParts& parts, const std::vector<double>& rates,
                           const std::vector<IdentifiedProbe>& all,
                           const std::vector<BestColumns::Column>& best, ProtocolResult& report) {
  const int64_t distractors = parts.distractors.size();
  const auto probes = std::ranges::count_if(all, [](const IdentifiedProbe& probe) { return probe.mated; });
  const auto share_above = [&](double limit) {
    const auto hits = std::ranges::count_if(all, [&](const IdentifiedProbe& probe) {
      return probe.mated && probe.own > probe.other && probe.own > limit;
    });
    return static_cast<double>(hits) / static_cast<double>(probes);
  };
  const auto limit_at = [&](double rate) {
    return limit_of(rate, distractors, best,
                    [](const BestColumns::Column& column) { return column.scores.other; });
  };
  const IdentificationUncertainty uncertainty(all, std::ssize(parts.images) + distractors, distractors);
  report.count("identification_probes", probes);
  Json thresholds = Json::array();
  constexpr std::string_view kRank1 = "identification_rank_1", kNobody = "no identity has two images";
  if (probes > 0) {
    report.number(std::string(kRank1), share_above(-kInfinity));
    report.set_uncertainty(kRank1, uncertainty.rank1());
  } else {
    report.undefined(std::string(kRank1), std::string(kNobody));
  }
  for (const double rate : rates) {
    const std::string number = name_with_rate("identification_tpr_at_fpr", rate);
    if (probes == 0) {
      report.undefined(number, std::string(kNobody));
      continue;
    }
    const Limit limit = limit_at(rate);
    const double tpr = share_above(limit.limit);
    report.number(number, tpr);
    Uncertainty of_rate = uncertainty.dir(rate, [&](double far) { return limit_at(far).limit; });
    of_rate = with_caveat(std::move(of_rate), kLoneDistractors);
    report.set_uncertainty(number, std::move(of_rate));
    thresholds.push_back({{"fpr", rate},
                          {"distractors_allowed", limit.allowed},
                          {"above", number_or_null(limit.limit)},
                          {"tpr", tpr}});
  }
  report.details["identification_thresholds"] = thresholds;
}

void report_people(const TrillionParts& parts, ProtocolResult& report) {
  std::vector<int64_t> genuine;
  for (size_t i = 0; i < parts.images.size(); ++i) genuine.push_back(parts.genuine_pairs(i));
  uir::report_people(genuine, parts.distractors.size() > 0 ? kLoneDistractors : "", report);
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

std::vector<fs::path> trillion_pairs_states(const fs::path& state) {
  std::vector<fs::path> files;
  for (std::string_view scan : kScans) files.push_back(state_of(state, scan));
  return files;
}

ProtocolResult run_trillion_pairs(const std::string& name, const UnitRows& vectors,
                                  std::span<const int64_t> labels, const TrillionPairsProtocol& config,
                                  const DividedScanOptions& scan) {
  const bool all = config.impostors == Impostors::kAll, identification = !config.identification_fpr.empty();
  const TrillionParts parts = take_apart(vectors, labels);
  const int64_t distractors = parts.distractors.size();
  if (distractors == 0 && (!all || identification)) {
    fail(ErrorKind::kData,
         "no row has the label -1, so there are no distractors; without them only impostors: all "
         "with identification_fpr: [] can be measured");
  }
  const int64_t impostors =
      parts.gallery.size() * distractors + (all ? parts.gallery_pairs() - parts.genuine_pairs() : 0);
  if (impostors == 0) fail(ErrorKind::kData, "there are no pairs of different people");

  TopPairs best(deciding(config.fpr, impostors));
  DistractorSearch strangers(best.n(), identification ? deciding(config.identification_fpr, distractors) : 0,
                             parts.people);
  scan_pairs(parts.gallery, parts.distractors, PairsOf::kRowsAndColumns, strangers,
             scan_options(scan, kScans[0], "gallery x distractors"));
  for (const TailPair& pair : strangers.pairs())
    best.add({pair.score, pair.row, pair.column + static_cast<uint32_t>(parts.gallery.size())});
  if (all) {
    TailSearch inside(best.n(), concat("impostors of ", checksum_hex(std::as_bytes(std::span(parts.people)))),
                      [&](int64_t i, int64_t j) { return parts.people[i] != parts.people[j]; });
    scan_pairs(parts.gallery, parts.gallery, PairsOf::kOneSet, inside,
               scan_options(scan, kScans[1], "gallery x gallery"));
    for (const TailPair& pair : inside.pairs()) best.add(pair);
  }

  auto report = ProtocolResult::of<TrillionPairsProtocol>(name, describe_protocol(all, identification));
  report.count("gallery_images", parts.gallery.size());
  report.count("identities", std::ssize(parts.images));
  report.count("distractors", distractors);
  report.count("genuine_pairs", parts.genuine_pairs());
  report.count("impostor_pairs", impostors);
  report_verification(parts, config.fpr, {all, impostors, best.pairs()}, scan.resources.threads, report);
  if (identification) {
    const std::vector<double> own = own_scores(parts, scan.resources.threads);
    MismatchSearch mismatches(parts.people, own);
    scan_pairs(parts.gallery, parts.gallery, PairsOf::kRowsAndColumns, mismatches,
               scan_options(scan, kScans[2], "gallery against gallery"));
    const std::vector<BestColumns::Column> columns = strangers.distractors();
    report_identification(parts, config.identification_fpr,
                          identified_probes(parts, own, mismatches, columns), columns, report);
  }
  if (parts.genuine_pairs() > 0) report_people(parts, report);
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
