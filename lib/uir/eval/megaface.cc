#include "uir/eval/megaface.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

#include "uir/base/error.h"
#include "uir/eval/context.h"
#include "uir/eval/mate_search.h"
#include "uir/eval/noise_list.h"
#include "uir/eval/pair_uncertainty.h"
#include "uir/eval/report_roc.h"
#include "uir/eval/roc.h"
#include "uir/eval/share_uncertainty.h"
#include "uir/eval/tail_uncertainty.h"
#include "uir/report/report.h"
#include "uir/search/canonical.h"
#include "uir/search/pair_scan.h"
#include "uir/store/embedding_store.h"

namespace uir {
namespace {

constexpr NamedMeaning kMeanings[] = {
    {"identification_rank",
     kHigherRate,
     {"rank-{x}", "{value} of the searches have the right person {place}, before or among all distractors."}},
    {"tar_at_far",
     kHigherRate,
     {"TAR@FAR {x}",
      "{value} of pairs of one person are accepted when {rate} pairs of a probe and a distractor {is}."}},
    {"achieved_far", kPlainRate}};

constexpr int64_t kTen = 10;

// The first rows of a set, told apart by a list of noises.
struct SortedRows {
  std::vector<int64_t> clean, noisy;
};

SortedRows sort_rows(const EmbeddingStore& set, const DataPath& noise_list, int64_t num_rows) {
  SortedRows rows;
  std::vector<bool> noisy(static_cast<size_t>(set.size()), false);
  if (!noise_list.empty()) noisy = noisy_rows(noise_list.value, set.items());
  for (int64_t row = 0; row < num_rows; ++row) {
    (noisy[static_cast<size_t>(row)] ? rows.noisy : rows.clean).push_back(row);
  }
  return rows;
}

// Numbers of the identities of the rows.
std::vector<int64_t> identities_of(const EmbeddingStore& set, std::span<const int64_t> rows,
                                   IdentityOf rule) {
  std::vector<int64_t> identities;
  std::map<std::string_view, int64_t> folders;
  for (const int64_t row : rows) {
    const std::string_view item = set.item(row);
    if (rule == IdentityOf::kFolder) {
      const size_t slash = item.rfind('/');
      if (slash == std::string_view::npos) {
        fail(ErrorKind::kData, set.folder().string(), ": row ", row, " (", item,
             "): the item has no folder that could be its identity");
      }
      identities.push_back(
          folders.try_emplace(item.substr(0, slash), static_cast<int64_t>(folders.size())).first->second);
      continue;
    }
    identities.push_back(set.labels()[static_cast<size_t>(row)]);
    if (identities.back() >= 0) continue;
    fail(ErrorKind::kData, set.folder().string(), ": row ", row, " (", item,
         ") has no identity; give the set labels, or the protocol identity: folder");
  }
  return identities;
}

// The images that are searched for.
struct Probes {
  CanonicalVectors vectors;
  std::vector<int64_t> identities;
};

// Appends a vector for every identity that is given beyond the vectors' number: the direction of the sum of
// the identity's unit vectors.
void append_centers(Probes& probes) {
  CanonicalVectors& vectors = probes.vectors;
  const auto num_images = static_cast<size_t>(vectors.rows);
  const auto dim = static_cast<size_t>(vectors.cols);
  std::vector<float> sums;
  for (size_t i = num_images; i < probes.identities.size(); ++i) {
    std::vector<double> sum(dim, 0.0);
    for (size_t image = 0; image < num_images; ++image) {
      if (probes.identities[image] != probes.identities[i]) continue;
      const std::span<const float> vector = vectors.row(static_cast<int64_t>(image));
      for (size_t d = 0; d < dim; ++d) sum[d] += double{vector[d]};
    }
    sums.insert(sums.end(), sum.begin(), sum.end());
  }
  const auto num_centers = static_cast<int64_t>(probes.identities.size() - num_images);
  const CanonicalVectors centers =
      canonical_vectors({sums.data(), num_centers, vectors.cols}, std::nullopt, 1, [](int64_t i) {
        return concat("noisy probe ", i, ": no other image tells where the center of its identity is");
      });
  vectors.values.insert(vectors.values.end(), centers.values.begin(), centers.values.end());
  vectors.rows += num_centers;
}

Probes read_probes(const EmbeddingStore& set, const SortedRows& rows, const MegaFaceProtocol& protocol,
                   int threads) {
  std::vector<int64_t> used = rows.clean;
  const bool centers = protocol.noisy_probes == NoisyProbes::kCenter;
  if (centers) used.insert(used.end(), rows.noisy.begin(), rows.noisy.end());
  Probes probes{canonical_rows(set, rows.clean, threads), identities_of(set, used, protocol.identity)};
  if (centers) append_centers(probes);
  return probes;
}

// The wanted numbers of rows, ascending; 10, 100, 1000 … and all where none are given.
std::vector<int64_t> gallery_sizes(const MegaFaceProtocol& protocol, const EmbeddingStore& distractors) {
  std::vector<int64_t> sizes = protocol.distractor_counts;
  if (sizes.empty()) {
    for (int64_t n = kTen; n < distractors.size(); n *= kTen) sizes.push_back(n);
    sizes.push_back(distractors.size());
  }
  std::ranges::sort(sizes);
  sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
  if (sizes.back() > distractors.size()) {
    fail(ErrorKind::kData, distractors.folder().string(), ": distractor_counts asks for ", sizes.back(),
         " distractors; the set has ", distractors.size(), " rows");
  }
  return sizes;
}

// Share of the searches whose mate has at most the rank.
double rate_of_rank(const std::vector<int64_t>& at_least, int64_t rank) {
  const auto hits = std::ranges::count_if(at_least, [&](int64_t better) { return better < rank; });
  return static_cast<double>(hits) / static_cast<double>(at_least.size());
}

// Cumulative match characteristic: ranks 1, 2, 5, 10, 20 … up to that of a mate behind all distractors.
Json cmc_json(const std::vector<int64_t>& at_least, int64_t rows, int64_t distractors) {
  Json points = Json::array();
  const auto add = [&](int64_t rank) { points.push_back({rank, rate_of_rank(at_least, rank)}); };
  for (int64_t decade = 1; decade <= distractors; decade *= kTen) {
    for (const int64_t step : {1, 2, 5}) {
      if (step * decade <= distractors) add(step * decade);
    }
  }
  add(distractors + 1);
  return {{"rows", rows}, {"distractors", distractors}, {"columns", {"rank", "rate"}}, {"points", points}};
}

// Beyond these a search would have to keep too much: numbers without an interval.
constexpr int64_t kMostRank = 1000, kMostPairs = int64_t{1} << 20;

// What the intervals need: the best pairs of every rate, and also the verification at twice the rate.
MateSearchKeeps keeps_for(const MegaFaceProtocol& protocol, int64_t impostors) {
  MateSearchKeeps keeps;
  for (const double far : protocol.far) {
    keeps.largest_far = std::max(keeps.largest_far, std::min(1.0, 2 * far));
    const int64_t allowed = allowed_at_most(impostors, far);
    if (allowed <= kMostPairs) keeps.pairs = std::max(keeps.pairs, allowed);
  }
  for (const int64_t rank : protocol.ranks)
    if (rank <= kMostRank) keeps.neighbours = std::max(keeps.neighbours, rank);
  return keeps;
}

// Person of every search.
std::vector<int64_t> searchers(const Mates& mates) {
  std::vector<int64_t> person;
  for (size_t probe = 0; probe < mates.person.size(); ++probe)
    person.insert(person.end(), mates.begin[probe + 1] - mates.begin[probe], mates.person[probe]);
  return person;
}

// Without a distractor, searches gain a hit that exactly `rank` of them reach, this one among them.
Uncertainty uncertainty_of_rank(const MateSearch& search, const Mates& mates,
                                const std::vector<int64_t>& at_least, int64_t rank, int64_t distractors) {
  const double rate = rate_of_rank(at_least, rank), searches = static_cast<double>(std::ssize(at_least));
  std::vector<double> hits, gained(static_cast<size_t>(distractors));
  for (const int64_t better : at_least) hits.push_back(better < rank);
  for (size_t probe = 0; probe < mates.person.size(); ++probe) {
    const auto reached = at_least.begin() + static_cast<int64_t>(mates.begin[probe]);
    const auto end = at_least.begin() + static_cast<int64_t>(mates.begin[probe + 1]);
    const auto gains = static_cast<double>(std::count(reached, end, rank));
    if (gains == 0) continue;
    for (const Neighbour& n : search.neighbours(static_cast<int64_t>(probe)).first(static_cast<size_t>(rank)))
      gained[static_cast<size_t>(n.column)] -= gains / searches;
  }
  Uncertainty uncertainty;
  if (distractors < 3) {
    uncertainty.note = "fewer than three distractors";
    uncertainty.resolution = Resolution::kNotResolved;
    return uncertainty;
  }
  std::vector<int64_t> of_person(static_cast<size_t>(mates.num_identities));
  const std::vector<int64_t> person = searchers(mates);
  for (const int64_t p : person) ++of_person[static_cast<size_t>(p)];
  uncertainty = share_uncertainty(rate, std::ssize(at_least),
                                  {share_influences(hits, person, mates.num_identities), std::move(gained)},
                                  concentration(of_person));
  if (!uncertainty.has_interval()) return uncertainty;
  uncertainty.genuine_events = std::ssize(at_least) - std::llround(rate * searches);
  uncertainty.effective_people = 1 / concentration(of_person);
  uncertainty = with_caveat(std::move(uncertainty), kLoneDistractors);
  return uncertainty;
}

// Of each person: genuine pairs, those that score at least the threshold, impostor pairs, those among the
// best `allowed`.
std::vector<TailPairs> people_at(double threshold, const Mates& mates, int64_t distractors) {
  std::vector<TailPairs> people(static_cast<size_t>(mates.num_identities));
  for (size_t pair = 0; pair < mates.genuine.size(); ++pair) {
    TailPairs& person = people[static_cast<size_t>(mates.genuine_person[pair])];
    ++person.genuine;
    person.found += mates.genuine[pair] >= threshold;
  }
  for (const int64_t person : mates.person) people[static_cast<size_t>(person)].impostors += distractors;
  return people;
}

Uncertainty uncertainty_of_far(MateSearch& search, const Mates& mates, double far, int64_t distractors) {
  const Roc& roc = search.roc();
  const Roc::Cut at = roc.cut_at(far), twice = roc.cut_at(std::min(1.0, 2 * far)), half = roc.cut_at(far / 2);
  std::vector<TailPairs> people = people_at(at.threshold, mates, distractors);
  std::vector<int64_t> accepted(static_cast<size_t>(distractors));
  for (const TailPair& pair : std::span(search.best_pairs()).first(static_cast<size_t>(at.allowed))) {
    ++people[static_cast<size_t>(mates.person[pair.row])].accepted;
    ++accepted[pair.column];
  }
  const auto found = std::accumulate(people.begin(), people.end(), int64_t{0},
                                     [](int64_t sum, const TailPairs& p) { return sum + p.found; });
  const double slope = slope_of(roc.at_most(std::min(1.0, 2 * far)).tar, roc.at_most(far / 2).tar,
                                twice.allowed, half.allowed);
  return tail_uncertainty({roc.num_genuine(), found, roc.num_impostor(), at.allowed, slope}, people,
                          {std::ssize(mates.person), accepted});
}

std::string describe_protocol(const MegaFaceProtocol& protocol) {
  return concat(
      "Identification: for every ordered pair (probe, mate) of images of one identity, the mate is put among "
      "the "
      "distractors and the probe is searched for; its rank is 1 + the number of distractors that score at "
      "least "
      "as high (a tie is a miss). Galleries: the first so many rows of the distractors. Verification: "
      "genuine "
      "pairs among the probes, every probe with every distractor as impostors, TAR at FAR by the rule "
      "at_most. "
      "Score: cosine of the unit vectors. Identities: the probes' ",
      protocol.identity == IdentityOf::kFolder ? "folders" : "labels", ". Noises of the probes: ",
      protocol.probe_noises.empty() ? "none given"
      : protocol.noisy_probes == NoisyProbes::kLeftOut
          ? "left out"
          : "replaced by the mean of their identity's other images",
      "; of the distractors: ", protocol.distractor_noises.empty() ? "none given" : "left out", ".");
}

// Searches gallery by gallery, the smaller ones first.
void report_identification(MateSearch& search, const Mates& mates, const std::vector<int64_t>& sizes,
                           const std::vector<int64_t>& distractor_rows, const std::vector<int64_t>& ranks,
                           ProtocolResult& report) {
  Json cmc = Json::array();
  for (const int64_t size : sizes) {
    const auto distractors = std::ranges::lower_bound(distractor_rows, size) - distractor_rows.begin();
    search.search_to(distractors);
    const std::vector<int64_t> at_least = search.at_least();
    const std::string ending = size == sizes.back() ? "" : concat("_distractors_", size);
    for (const int64_t rank : ranks) {
      const std::string number = concat("identification_rank_", rank, ending);
      report.number(number, rate_of_rank(at_least, rank));
      if (rank <= kMostRank)
        report.set_uncertainty(number, uncertainty_of_rank(search, mates, at_least, rank, distractors));
    }
    cmc.push_back(cmc_json(at_least, size, distractors));
  }
  report.details["cmc"] = std::move(cmc);
}

void report_verification(MateSearch& search, const Mates& mates, const std::vector<double>& fars,
                         ProtocolResult& report) {
  const Roc& roc = search.roc();
  const int64_t distractors = roc.num_impostor() / std::ssize(mates.person);
  warn_of_unresolved_rates(report.name, fars, roc.num_impostor());
  Json thresholds = Json::array();
  for (const double far : fars) {
    const RocPoint point = roc.at_most(far);
    const std::string number = name_with_rate("tar_at_far", far);
    report.number(number, point.tar);
    if (roc.cut_at(far).allowed <= kMostPairs)
      report.set_uncertainty(number, uncertainty_of_far(search, mates, far, distractors));
    thresholds.push_back(
        {{"far", far}, {"threshold", point.threshold}, {"achieved_far", point.far}, {"tar", point.tar}});
  }
  report.details["thresholds"] = std::move(thresholds);
}

void report_people(const Mates& mates, ProtocolResult& report) {
  std::vector<int64_t> genuine(static_cast<size_t>(mates.num_identities));
  for (const int64_t person : mates.genuine_person) ++genuine[static_cast<size_t>(person)];
  report_people(genuine, kLoneDistractors, report);
}

}  // namespace

NumberFacts MegaFaceProtocol::number_facts() { return {kMeanings, {}}; }

ProtocolResult run_megaface(const std::string& name, const EmbeddingStore& probe_set,
                            const EmbeddingStore& distractor_set, const MegaFaceProtocol& protocol,
                            const ScanResources& resources) {
  if (probe_set.embeddings().cols != distractor_set.embeddings().cols) {
    fail(ErrorKind::kData, "probes have ", probe_set.embeddings().cols, " dimensions, distractors ",
         distractor_set.embeddings().cols, "; both sets must come from one network");
  }
  const std::vector<int64_t> sizes = gallery_sizes(protocol, distractor_set);
  const SortedRows probe_rows = sort_rows(probe_set, protocol.probe_noises, probe_set.size());
  const SortedRows distractor_rows = sort_rows(distractor_set, protocol.distractor_noises, sizes.back());
  if (distractor_rows.clean.empty()) {
    fail(ErrorKind::kData, distractor_set.folder().string(), ": no distractors",
         distractor_rows.noisy.empty() ? "" : " but noises");
  }
  const Probes probes = read_probes(probe_set, probe_rows, protocol, resources.threads);
  const Mates mates = mates_of(probes.vectors, probes.identities);
  if (mates.scores.empty()) {
    fail(ErrorKind::kData, probe_set.folder().string(), ": no identity has two images among the probes");
  }

  auto report = ProtocolResult::of<MegaFaceProtocol>(name, describe_protocol(protocol));
  report.count("probes", probes.vectors.rows);
  report.count("probe_identities", mates.num_identities);
  report.count("probe_noises", std::ssize(probe_rows.noisy));
  report.count("distractors", std::ssize(distractor_rows.clean));
  report.count("distractor_noises", std::ssize(distractor_rows.noisy));
  report.count("searches", std::ssize(mates.scores));
  report.count("genuine_pairs", std::ssize(mates.genuine));
  const int64_t impostors = probes.vectors.rows * std::ssize(distractor_rows.clean);
  report.count("impostor_pairs", impostors);

  MateSearch search(probes.vectors, mates, distractor_set, distractor_rows.clean,
                    keeps_for(protocol, impostors), resources);
  report_identification(search, mates, sizes, distractor_rows.clean, protocol.ranks, report);
  report_verification(search, mates, protocol.far, report);
  report_people(mates, report);
  return report;
}

std::vector<std::string> sets_of(const MegaFaceProtocol& config) {
  return {config.probes, config.distractors};
}

std::vector<std::string> problems_of(const MegaFaceProtocol& config, const KnownSources& sources) {
  std::vector<std::string> problems =
      sources.problems_of_sets({{"probes", {config.probes}}, {"distractors", {config.distractors}}});
  if (config.probes == config.distractors) problems.emplace_back("probes and distractors are the same set");
  return problems;
}

std::vector<ProtocolResult> measure(const std::string& name, const MegaFaceProtocol& config,
                                    EvalContext& context) {
  // Either both sets with the flip test or none.
  const bool flip = config.flip && context.sets.store(config.probes).mirrored() &&
                    context.sets.store(config.distractors).mirrored();
  const EmbeddingStore probes = context.sets.store(config.probes, flip);
  return {with_flip_test(run_megaface(name, probes, context.sets.store(config.distractors, flip), config,
                                      context.scan.resources),
                         probes)};
}

}  // namespace uir
