#include "uir/eval/open_set.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "uir/base/error.h"
#include "uir/base/progress.h"
#include "uir/eval/context.h"
#include "uir/eval/hardest.h"
#include "uir/eval/identification_uncertainty.h"
#include "uir/eval/items.h"
#include "uir/eval/quantile.h"
#include "uir/eval/report_roc.h"
#include "uir/report/report.h"
#include "uir/search/exact_scores.h"

namespace uir {
namespace {

constexpr NamedMeaning kMeanings[] = {
    {"rank",
     kHigherRate,
     {"rank-{x}", "{value} of the faces of enrolled people have the right person {place}, strangers aside."}},
    {"dir", kHigherRate},
    {"dir_at_far",
     kHigherRate,
     {"DIR@FAR {x}",
      "{value} of the faces of enrolled people are given the right name when {rate} faces of strangers {is} "
      "taken for somebody."}},
    {"achieved_far", kPlainRate},
    {"dir_calibrated", kHigherRate},
    {"far_calibrated", kPlainRate}};

constexpr double kNotDefined = std::numeric_limits<double>::quiet_NaN();

std::vector<OpenSetEntry> read_list(const fs::path& path, ListedRows& rows,
                                    std::unordered_set<int64_t>& used) {
  ListReader list(path, ListReader::Separator::kSpace);
  std::vector<OpenSetEntry> entries;
  while (list.next()) {
    if (list.fields().size() != 3)
      list.refuse(concat(list.fields().size(), " fields"), "'path number identity'");
    entries.push_back({rows.row_of(list.fields()[0], list.place()), list.integer(2, 0)});
    if (entries.back().row >= 0 && !used.insert(entries.back().row).second) {
      list.refuse(list.fields()[0], "an image that stands once in the gallery and probe lists together");
    }
  }
  if (entries.empty()) fail(ErrorKind::kData, path.string(), ": no entries");
  return entries;
}

// The vectors of some entries, gathered.
CanonicalVectors gather(const CanonicalVectors& vectors, const std::vector<OpenSetEntry>& entries) {
  CanonicalVectors chosen{{}, static_cast<int64_t>(entries.size()), vectors.cols};
  for (const OpenSetEntry& entry : entries) {
    const std::span<const float> row = vectors.row(entry.row);
    chosen.values.insert(chosen.values.end(), row.begin(), row.end());
  }
  return chosen;
}

// People of the gallery and of the probes, numbered.
std::unordered_map<int64_t, int64_t> number_people(const OpenSetLists& lists) {
  std::unordered_map<int64_t, int64_t> numbers;
  for (const auto* entries : {&lists.gallery, &lists.probes}) {
    for (const OpenSetEntry& entry : *entries)
      numbers.try_emplace(entry.identity, static_cast<int64_t>(numbers.size()));
  }
  return numbers;
}

// Of each probe the best scores with the gallery.
std::vector<IdentifiedProbe> best_scores(const CanonicalVectors& vectors, const OpenSetLists& lists,
                                         const std::unordered_map<int64_t, int64_t>& people, int threads) {
  const CanonicalVectors probes = gather(vectors, lists.probes);
  const ScoreColumns gallery(gather(vectors, lists.gallery).view());
  std::vector<int64_t> of_gallery;
  for (const OpenSetEntry& entry : lists.gallery) of_gallery.push_back(people.at(entry.identity));
  const std::unordered_set<int64_t> known(of_gallery.begin(), of_gallery.end());
  std::vector<IdentifiedProbe> best;
  for (const OpenSetEntry& entry : lists.probes) {
    const int64_t person = people.at(entry.identity);
    best.push_back({{}, person, known.contains(person)});
  }
  Progress progress("identifying probes", "probes", probes.rows);
  parallel_blocks(probes.rows, kScoreRows, threads, [&](int64_t begin, int64_t end) {
    visit_scores(probes.view(), begin, end, gallery, 0,
                 [&](int64_t row, int64_t first, std::span<const double> scores) {
                   for (size_t c = 0; c < scores.size(); ++c) {
                     const int64_t person = of_gallery[first + c];
                     if (person == best[row].person) {
                       best[row].own = std::max(best[row].own, scores[c]);
                     } else {
                       best[row].add_other(person, scores[c]);
                     }
                   }
                 });
    progress.add(end - begin);
  });
  return best;
}

// non_mated: highest first.
double threshold_at(double far, const std::vector<double>& non_mated) {
  const auto n = static_cast<int64_t>(non_mated.size());
  const auto entry = std::max<int64_t>(static_cast<int64_t>(static_cast<double>(n) * far) - 1, 0);
  return non_mated[static_cast<size_t>(std::min(entry, n - 1))];
}

OpenSetRate rate_at(double far, const std::vector<IdentifiedProbe>& mated,
                    const std::vector<double>& non_mated) {
  const auto n = static_cast<int64_t>(non_mated.size());
  OpenSetRate rate{far, threshold_at(far, non_mated)};
  const auto found = [&](const IdentifiedProbe& b) { return b.own > b.other && b.own > rate.threshold; };
  rate.dir = share(std::ranges::count_if(mated, found), static_cast<int64_t>(mated.size()));
  rate.achieved_far =
      share(std::ranges::count_if(non_mated, [&](double s) { return s > rate.threshold; }), n);
  return rate;
}

std::unordered_set<int64_t> people_of(const OpenSetLists& lists) {
  std::unordered_set<int64_t> people;
  for (const OpenSetEntry& entry : lists.gallery) people.insert(entry.identity);
  return people;
}

std::vector<OpenSetResult::Calibrated> calibrated_rates(const CalibratedGallery& gallery,
                                                        const std::vector<IdentifiedProbe>& mated,
                                                        const std::vector<double>& non_mated,
                                                        const IdentificationUncertainty& uncertainty) {
  std::vector<OpenSetResult::Calibrated> rates;
  for (const CalibratedThreshold& wanted : gallery.thresholds) {
    if (!wanted.threshold) continue;
    const double t = *wanted.threshold, below = std::nextafter(t, OtherScores::kNone);
    const auto right =
        std::ranges::count_if(mated, [&](const IdentifiedProbe& b) { return b.own > b.other && b.own >= t; });
    const auto named = std::ranges::count_if(non_mated, [&](double s) { return s >= t; });
    rates.push_back(
        {{wanted.rate / 1000, t, share(right, std::ssize(mated)), share(named, std::ssize(non_mated))},
         uncertainty.dir_at(below),
         uncertainty.false_alarms_at(below)});
  }
  return rates;
}

// Numbers for the thresholds of a calibration that fit a gallery of so many people.
void report_calibrated(const CalibratedGallery* gallery, const OpenSetResult& result,
                       ProtocolResult& report) {
  if (!gallery) return report.undefined("dir_calibrated", "the calibration has no gallery of so many people");
  report.count("calibrated_people", gallery->people);
  for (const OpenSetResult::Calibrated& rate : result.calibrated) {
    const std::string dir = name_with_rate("dir_calibrated_for", rate.far),
                      far = name_with_rate("far_calibrated_for", rate.far);
    report.number(dir, rate.dir);
    report.set_uncertainty(dir, rate.of_dir);
    report.number(far, rate.achieved_far);
    report.set_uncertainty(far, rate.of_far);
  }
}

Groups groups_of_probes(const SplitOptions& split, const OpenSetLists& lists, const EmbeddingStore& set) {
  const AttributeTable table(split, {AttributeOf::kImage, AttributeOf::kFolder, AttributeOf::kPerson});
  std::vector<bool> is_probe(static_cast<size_t>(set.size()));
  for (const OpenSetEntry& probe : lists.probes) is_probe[static_cast<size_t>(probe.row)] = true;
  return table.groups_of_rows(set.items(), set.labels(), is_probe);
}

// The same gallery, and the probes of one group.
template <class Run>
void add_groups_of_probes(const std::string& split_by, const Groups& groups, const OpenSetLists& lists,
                          const Run& run, ProtocolResult& whole) {
  std::vector<OpenSetLists> of_group(groups.names.size(), {lists.gallery, {}, lists.by_rule});
  int64_t without = 0;
  for (const OpenSetEntry& probe : lists.probes) {
    const int group = groups.of[static_cast<size_t>(probe.row)];
    if (group < 0) {
      ++without;
    } else {
      of_group[static_cast<size_t>(group)].probes.push_back(probe);
    }
  }
  whole.split_by = split_by;
  for (size_t g = 0; g < of_group.size(); ++g)
    add_group(groups.names[g], run(groups.names[g], of_group[g]), whole);
  whole.count("probes_without_group", without);
}

// Of a probe the best of the gallery that is its own person, and the best that is somebody else; −1: none.
struct NearestEntries {
  int64_t own = -1, other = -1;
  double own_score = 0, other_score = 0;

  void add(bool is_own, int64_t entry, double score) {
    int64_t& best = is_own ? own : other;
    double& best_score = is_own ? own_score : other_score;
    if (best < 0 || score > best_score) best = entry, best_score = score;
  }
};

std::vector<NearestEntries> nearest_entries(const CanonicalVectors& vectors, const OpenSetLists& lists,
                                            int threads) {
  const CanonicalVectors probes = gather(vectors, lists.probes);
  const ScoreColumns gallery(gather(vectors, lists.gallery).view());
  std::vector<NearestEntries> nearest(lists.probes.size());
  parallel_blocks(probes.rows, kScoreRows, threads, [&](int64_t begin, int64_t end) {
    visit_scores(probes.view(), begin, end, gallery, 0,
                 [&](int64_t row, int64_t first, std::span<const double> scores) {
                   for (size_t c = 0; c < scores.size(); ++c) {
                     const int64_t entry = first + static_cast<int64_t>(c);
                     const bool own = lists.gallery[entry].identity == lists.probes[row].identity;
                     nearest[row].add(own, entry, scores[c]);
                   }
                 });
  });
  return nearest;
}

void add_hardest(const std::string& set_name, const EmbeddingStore& set, const CanonicalVectors& vectors,
                 const OpenSetLists& lists, int threads, ProtocolResult& report) {
  const std::vector<NearestEntries> nearest = nearest_entries(vectors, lists, threads);
  HardestPairs genuine(Hardest::kLowest), impostors(Hardest::kHighest), strangers(Hardest::kHighest);
  for (size_t i = 0; i < nearest.size(); ++i) {
    const NearestEntries& of = nearest[i];
    const int64_t probe = lists.probes[i].row;
    if (of.own >= 0) genuine.add({of.own_score, probe, lists.gallery[of.own].row});
    if (of.other < 0) continue;
    const bool confused = of.own >= 0 && of.other_score >= of.own_score;
    if (of.own < 0) strangers.add({of.other_score, probe, lists.gallery[of.other].row});
    if (confused) impostors.add({of.other_score, probe, lists.gallery[of.other].row});
  }
  const Json thresholds = hard_thresholds(report);
  const auto add = [&](std::string_view kind, std::string_view words, const HardestPairs& hardest) {
    report_hardest({kind, words, "cosine", thresholds}, hardest, set_name, set, report);
  };
  add("genuine", "Enrolled people who score lowest with their own gallery", genuine);
  add("impostor", "Enrolled people most surely taken for somebody else", impostors);
  add("strangers", "Strangers most surely taken for somebody", strangers);
}

}  // namespace

NumberFacts OpenSetProtocol::number_facts() { return {kMeanings, {}}; }

OpenSetLists open_set_by_rule(std::span<const int64_t> labels) {
  std::unordered_map<int64_t, int64_t> images;
  for (int64_t label : labels) ++images[label];
  OpenSetLists lists;
  lists.by_rule = true;
  std::unordered_set<int64_t> enrolled;
  for (int64_t row = 0; row < static_cast<int64_t>(labels.size()); ++row) {
    const int64_t label = labels[row];
    if (label < 0)
      fail(ErrorKind::kData, "open_set: row ", row, " has no identity; every image of the set needs a label");
    const bool to_gallery = images[label] > 1 && enrolled.insert(label).second;
    (to_gallery ? lists.gallery : lists.probes).push_back({row, label});
  }
  return lists;
}

OpenSetLists read_open_set_lists(const fs::path& gallery, const fs::path& probes,
                                 std::span<const std::string_view> items) {
  ListedRows rows(items, ItemRows::Key::kItem);
  std::unordered_set<int64_t> used;
  OpenSetLists lists;
  lists.gallery = read_list(gallery, rows, used);
  lists.probes = read_list(probes, rows, used);
  // Leaving them out would make strangers of known people.
  rows.refuse_missing("the protocol's numbers need every image of its lists");
  return lists;
}

OpenSetResult measure_open_set(const CanonicalVectors& vectors, const OpenSetLists& lists,
                               const std::vector<double>& far, int threads,
                               const CalibratedGallery* gallery) {
  const std::unordered_map<int64_t, int64_t> people = number_people(lists);
  const std::vector<IdentifiedProbe> best = best_scores(vectors, lists, people, threads);
  std::vector<IdentifiedProbe> mated;
  std::vector<double> non_mated;
  for (const IdentifiedProbe& probe : best) {
    if (probe.mated) {
      mated.push_back(probe);
    } else {
      non_mated.push_back(probe.other);
    }
  }
  std::ranges::sort(non_mated, std::greater());

  OpenSetResult result;
  result.num_gallery = static_cast<int64_t>(lists.gallery.size());
  result.num_mated = static_cast<int64_t>(mated.size());
  result.num_non_mated = static_cast<int64_t>(non_mated.size());
  const auto first = std::ranges::count_if(mated, [](const IdentifiedProbe& b) { return b.own > b.other; });
  result.rank1 = mated.empty() ? kNotDefined : share(first, result.num_mated);
  const IdentificationUncertainty uncertainty(best, std::ssize(people));
  if (!mated.empty()) result.rank1_uncertainty = uncertainty.rank1();
  if (mated.empty() || non_mated.empty() || lists.gallery.empty()) return result;
  for (double rate : far) {
    result.rates.push_back(rate_at(rate, mated, non_mated));
    result.rate_uncertainty.push_back(
        uncertainty.dir(rate, [&](double at) { return threshold_at(at, non_mated); }));
  }
  if (gallery) result.calibrated = calibrated_rates(*gallery, mated, non_mated, uncertainty);
  return result;
}

ProtocolResult run_open_set(const std::string& name, const CanonicalVectors& vectors,
                            const OpenSetLists& lists, const std::vector<double>& far, int threads,
                            const Calibration* calibration) {
  const CalibratedGallery* gallery =
      calibration ? calibration->gallery_for(std::ssize(people_of(lists))) : nullptr;
  const OpenSetResult result = measure_open_set(vectors, lists, far, threads, gallery);
  auto report = ProtocolResult::of<OpenSetProtocol>(name);
  report.description =
      concat(lists.by_rule
                 ? "Gallery: the first image of every identity with two or more; probes: all other images, "
                   "mated where "
                   "their identity is in the gallery. "
                 : "Gallery and probes from lists; a probe is mated where its identity is in the gallery. ",
             "DIR at FAR: share of mated probes whose best cosine with their own identity is greater than "
             "with every other and "
             "than the threshold: entry max(int(n x FAR) - 1, 0) of the n non-mated probes' best cosines, "
             "descending.");
  report.count("gallery", result.num_gallery);
  report.count("mated_probes", result.num_mated);
  report.count("non_mated_probes", result.num_non_mated);
  if (result.num_mated == 0) {
    report.undefined("rank1", "there are no mated probes");
  } else {
    report.number("rank1", result.rank1);
    report.set_uncertainty("rank1", result.rank1_uncertainty);
  }
  for (size_t i = 0; i < far.size(); ++i) {
    const std::string dir = name_with_rate("dir_at_far", far[i]);
    if (result.rates.empty()) {
      report.undefined(dir, "it needs mated and non-mated probes");
      continue;
    }
    const OpenSetRate& rate = result.rates[i];
    report.number(dir, rate.dir);
    report.set_uncertainty(dir, result.rate_uncertainty[i]);
    report.details["thresholds"].push_back({{"far", rate.far},
                                            {"threshold", rate.threshold},
                                            {"achieved_far", rate.achieved_far},
                                            {"dir", rate.dir}});
  }
  if (calibration) report_calibrated(gallery, result, report);
  return report;
}

std::vector<std::string> sets_of(const OpenSetProtocol& config) { return {config.set}; }

std::vector<std::string> problems_of(const OpenSetProtocol& config, const KnownSources& sources) {
  std::vector<std::string> problems = sources.problems_of_sets({{"set", {config.set}}});
  if (config.gallery.empty() != config.probe.empty())
    problems.emplace_back("gallery and probe are given together or not at all");
  add_split_problems(config.split, problems);
  return problems;
}

std::vector<ProtocolResult> measure(const std::string& name, const OpenSetProtocol& config,
                                    EvalContext& context) {
  const EmbeddingStore set = context.sets.store(config.set, config.flip);
  const OpenSetLists lists = config.gallery.empty()
                                 ? open_set_by_rule(set.labels())
                                 : read_open_set_lists(config.gallery.value, config.probe.value, set.items());
  std::optional<Groups> groups;
  if (config.split.given()) groups = groups_of_probes(config.split, lists, set);
  const CanonicalVectors& vectors = context.sets.canonical(config.set, config.flip);
  const Calibration* calibration = context.calibration_of(set);
  const auto run = [&](const std::string& of, const OpenSetLists& some) {
    return run_open_set(of, vectors, some, config.far, context.threads(), calibration);
  };
  ProtocolResult result = with_flip_test(run(name, lists), set);
  warn_of_unresolved_rates(name, config.far, result.count_of("non_mated_probes"));
  if (context.pictures) add_hardest(config.set, set, vectors, lists, context.threads(), result);
  if (groups) add_groups_of_probes(config.split.column, *groups, lists, run, result);
  return {result};
}

}  // namespace uir
