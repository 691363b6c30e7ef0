#include "uir/eval/all_pairs.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <unordered_map>
#include <utility>

#include "uir/base/error.h"
#include "uir/base/progress.h"
#include "uir/eval/context.h"
#include "uir/eval/hardest.h"
#include "uir/eval/pair_uncertainty.h"
#include "uir/eval/report_roc.h"
#include "uir/report/report.h"
#include "uir/search/exact_scores.h"

namespace uir {
namespace {

constexpr NamedMeaning kMeanings[] = {{"auc", kHigherRate, kAucWords},        {"eer", kLowerRate, kEerWords},
                                      {"tar_at_far", kHigherRate, kTarWords}, {"achieved_far", kPlainRate},
                                      {"tar_at_common", kHigherRate},         {"far_at_common", kPlainRate}};

void check_labels(const CanonicalVectors& vectors, std::span<const int64_t> labels) {
  ensure(static_cast<int64_t>(labels.size()) == vectors.rows, "one label per row");
  if (labels.size() < 2) {
    fail(ErrorKind::kData, "all_pairs: the set has ", labels.size(), " images; a pair needs two");
  }
  const auto unlabeled = std::ranges::find_if(labels, [](int64_t label) { return label < 0; });
  if (unlabeled == labels.end()) return;
  fail(ErrorKind::kData, "all_pairs: row ", unlabeled - labels.begin(),
       " has no identity; every image of the set needs a label");
}

// The pairs of rows that are measured: all (first is 0), or those of one of the first rows with one of the
// others.
struct RowPairs {
  const CanonicalVectors& vectors;
  std::span<const int64_t> labels;
  int64_t first = 0;

  bool contains(int64_t a, int64_t b) const { return first == 0 || (a < first && b >= first); }  // a < b
};

// Scores of all pairs of one identity.
std::vector<double> genuine_scores(const RowPairs& pairs) {
  const std::span<const int64_t> labels = pairs.labels;
  std::vector<int64_t> rows(labels.size());
  std::iota(rows.begin(), rows.end(), 0);
  std::ranges::stable_sort(rows, {}, [&](int64_t row) { return labels[static_cast<size_t>(row)]; });
  std::vector<double> scores;
  for (size_t i = 0; i < rows.size(); ++i) {
    for (size_t j = i + 1; j < rows.size() && labels[rows[j]] == labels[rows[i]]; ++j) {
      if (!pairs.contains(rows[i], rows[j])) continue;
      scores.push_back(score(pairs.vectors.row(rows[i]), pairs.vectors.row(rows[j])));
    }
  }
  return scores;
}

std::vector<int64_t> distinct(std::span<const int64_t> labels) {
  std::vector<int64_t> values(labels.begin(), labels.end());
  std::ranges::sort(values);
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

// Calls add(state, a, b, score) for every pair, a < b, on states that begin as `empty`; merge(state)
// takes each thread's.
template <class State, class Add, class Merge>
void reduce_pairs(const char* what, const RowPairs& pairs, int threads, const State& empty, Add&& add,
                  Merge&& merge) {
  const ScoreColumns columns(pairs.vectors.view());
  const int64_t rows = pairs.first > 0 ? pairs.first : pairs.vectors.rows;
  Progress progress(what, "images", rows);
  const auto add_block = [&](State& state, int64_t begin, int64_t end) {
    visit_scores(pairs.vectors.view(), begin, end, columns, std::max(begin, pairs.first),
                 [&](int64_t row, int64_t first, std::span<const double> scores) {
                   const auto width = static_cast<int64_t>(scores.size());
                   for (int64_t c = std::max<int64_t>(0, std::max(row + 1, pairs.first) - first); c < width;
                        ++c)
                     add(state, row, first + c, scores[c]);
                 });
    progress.add(end - begin);
  };
  reduce_blocks(rows, kScoreRows, threads, empty, add_block, merge);
}

Roc roc_of(const RowPairs& pairs, int threads) {
  Roc roc(genuine_scores(pairs));
  Roc result = roc;
  reduce_pairs(
      "scoring all pairs", pairs, threads, roc.counter(),
      [&](Roc::Counter& counter, int64_t a, int64_t b, double score) {
        if (pairs.labels[a] != pairs.labels[b]) roc.count(score, counter);
      },
      [&](const Roc::Counter& counter) { result.merge(counter); });
  return result;
}

PeopleTally tally_of(const PairUncertainty& uncertainty, const RowPairs& pairs, int threads) {
  std::vector<int64_t> people = distinct(pairs.labels), person;
  for (const int64_t label : pairs.labels)
    person.push_back(std::ranges::lower_bound(people, label) - people.begin());
  const PeopleTally empty = uncertainty.empty_tally(std::ssize(people));
  PeopleTally result = empty;
  reduce_pairs(
      "counting the pairs of each person", pairs, threads, empty,
      [&](PeopleTally& tally, int64_t a, int64_t b, double score) {
        if (person[a] == person[b]) {
          tally.genuine(person[a], score);
        } else {
          tally.impostor(person[a], person[b], score);
        }
      },
      [&](const PeopleTally& tally) { result.add(tally); });
  return result;
}

CommonRates common_rates(const RowPairs& pairs, std::span<const double> thresholds, int threads) {
  const CommonRates empty(thresholds);
  CommonRates result = empty;
  reduce_pairs(
      "counting accepted pairs", pairs, threads, empty,
      [&](CommonRates& rates, int64_t a, int64_t b, double score) {
        rates.add(pairs.labels[a] == pairs.labels[b], score);
      },
      [&](const CommonRates& rates) { result.add(rates); });
  return result;
}

// common: thresholds for the rates that were chosen elsewhere, or none.
ProtocolResult run_row_pairs(const std::string& name, const RowPairs& pairs, const std::vector<double>& far,
                             int threads, bool intervals, std::span<const double> common = {}) {
  const Roc roc = roc_of(pairs, threads);
  auto report = ProtocolResult::of<AllPairsProtocol>(name);
  report.description =
      "Every unordered pair of images of the set: genuine when both show one identity, else impostor. Score: "
      "cosine of "
      "the unit vectors. AUC, EER, and TAR at FAR by the rule at_most (the largest TAR whose FAR does not "
      "exceed the "
      "target), exact.";
  report.count("images", pairs.vectors.rows);
  report.count("identities", std::ssize(distinct(pairs.labels)));
  report.count("genuine_pairs", roc.num_genuine());
  report.count("impostor_pairs", roc.num_impostor());
  report_roc(roc, far, report);
  if (intervals && roc.defined()) {
    const PairUncertainty uncertainty(roc, far, common, PairUncertainty::kBandPoints);
    const PeopleTally tally = tally_of(uncertainty, pairs, threads);
    uncertainty.report(tally, "", report);
    if (!common.empty()) uncertainty.report_common(tally, "", report);
  } else if (!common.empty()) {
    common_rates(pairs, common, threads).report(far, report);
  }
  return report;
}

// How many pairs of each kind the groups have, from the images that people have in each.
void count_pairs(std::span<const int64_t> labels, const Groups& groups, PairParts& parts) {
  const int none = static_cast<int>(groups.names.size());
  const auto group = [&](int g) { return g == none ? -1 : g; };
  const std::vector<int64_t> nobody(groups.names.size() + 1);
  std::vector<int64_t> all = nobody;
  std::unordered_map<int64_t, std::vector<int64_t>> images;  // of each person, by group
  for (size_t row = 0; row < labels.size(); ++row) {
    const int of = groups.of[row] < 0 ? none : groups.of[row];
    ++images.try_emplace(labels[row], nobody).first->second[static_cast<size_t>(of)];
    ++all[static_cast<size_t>(of)];
  }
  const auto pairs_of = [](const std::vector<int64_t>& n, int a, int b) {
    return a == b ? n[a] * (n[a] - 1) / 2 : n[a] * n[b];
  };
  for (int a = 0; a <= none; ++a) {
    for (int b = a; b <= none; ++b) {
      int64_t genuine = 0;
      for (const auto& [label, n] : images) genuine += pairs_of(n, a, b);
      parts.count(group(a), group(b), true, genuine);
      parts.count(group(a), group(b), false, pairs_of(all, a, b) - genuine);
    }
  }
}

// The rows of a part's groups: those of the first, then those of the second.
struct PartRows {
  CanonicalVectors vectors;
  std::vector<int64_t> labels;
  int64_t first = 0;

  PartRows(const CanonicalVectors& all, std::span<const int64_t> all_labels, const Groups& groups,
           std::pair<int, int> part)
      : vectors{{}, 0, all.cols} {
    add(all, all_labels, groups, part.first);
    if (part.first == part.second) return;
    first = vectors.rows;
    add(all, all_labels, groups, part.second);
  }

 private:
  void add(const CanonicalVectors& all, std::span<const int64_t> all_labels, const Groups& groups,
           int group) {
    for (int64_t row = 0; row < all.rows; ++row) {
      if (groups.of[static_cast<size_t>(row)] != group) continue;
      const std::span<const float> values = all.row(row);
      vectors.values.insert(vectors.values.end(), values.begin(), values.end());
      labels.push_back(all_labels[row]);
      ++vectors.rows;
    }
  }
};

// The groups of a set's rows, and the parts of its pairs.
struct PartedRows {
  Groups groups;
  PairParts parts;
};

PartedRows part_rows(const SplitOptions& split, const EmbeddingStore& set) {
  const AttributeTable table(split, {AttributeOf::kImage, AttributeOf::kFolder, AttributeOf::kPerson});
  const std::span<const int64_t> labels = set.labels();
  Groups groups = table.groups_of_rows(set.items(), labels, std::vector<bool>(labels.size(), true));
  PairParts parts(table, groups.names);
  count_pairs(labels, groups, parts);
  parts.close();
  return {std::move(groups), std::move(parts)};
}

void add_parts(const PartedRows& parted, const std::vector<double>& far, const CanonicalVectors& vectors,
               std::span<const int64_t> labels, int threads, ProtocolResult& whole) {
  const std::vector<double> common = thresholds_of(whole);
  parted.parts.report(
      [&](int64_t part) {
        const PartRows rows(vectors, labels, parted.groups, parted.parts.groups(part));
        return run_row_pairs(parted.parts.name(part), {rows.vectors, rows.labels, rows.first}, far, threads,
                             true, common);
      },
      whole);
}

struct HardestOfSet {
  HardestPairs genuine{Hardest::kLowest}, impostors{Hardest::kHighest};
  void merge(const HardestOfSet& other) {
    genuine.merge(other.genuine);
    impostors.merge(other.impostors);
  }
};

// Another pass over all pairs.
void add_hardest(const std::string& set_name, const EmbeddingStore& set, const CanonicalVectors& vectors,
                 int threads, ProtocolResult& report) {
  const RowPairs pairs{vectors, set.labels()};
  HardestOfSet found;
  reduce_pairs(
      "finding the hardest pairs", pairs, threads, HardestOfSet(),
      [&](HardestOfSet& hardest, int64_t a, int64_t b, double score) {
        (pairs.labels[a] == pairs.labels[b] ? hardest.genuine : hardest.impostors).add({score, a, b});
      },
      [&](const HardestOfSet& hardest) { found.merge(hardest); });
  const Json thresholds = hard_thresholds(report);
  report_hardest(hardest_genuine(thresholds), found.genuine, set_name, set, report);
  report_hardest(hardest_impostors(thresholds), found.impostors, set_name, set, report);
}

}  // namespace

NumberFacts AllPairsProtocol::number_facts() { return {kMeanings, {}}; }

Roc all_pairs_roc(const CanonicalVectors& vectors, std::span<const int64_t> labels, int threads) {
  check_labels(vectors, labels);
  return roc_of({vectors, labels}, threads);
}

PeopleTally all_pairs_tally(const PairUncertainty& uncertainty, const CanonicalVectors& vectors,
                            std::span<const int64_t> labels, int threads) {
  return tally_of(uncertainty, {vectors, labels}, threads);
}

ProtocolResult run_all_pairs(const std::string& name, const CanonicalVectors& vectors,
                             std::span<const int64_t> labels, const std::vector<double>& far, int threads,
                             bool intervals) {
  check_labels(vectors, labels);
  return run_row_pairs(name, {vectors, labels}, far, threads, intervals);
}

std::vector<std::string> sets_of(const AllPairsProtocol& config) { return {config.set}; }

std::vector<std::string> problems_of(const AllPairsProtocol& config, const KnownSources& sources) {
  std::vector<std::string> problems = sources.problems_of_sets({{"set", {config.set}}});
  add_split_problems(config.split, problems);
  return problems;
}

std::vector<ProtocolResult> measure(const std::string& name, const AllPairsProtocol& config,
                                    EvalContext& context) {
  const EmbeddingStore set = context.sets.store(config.set, config.flip);
  std::optional<PartedRows> parted;
  if (config.split.given()) parted = part_rows(config.split, set);
  const CanonicalVectors& vectors = context.sets.canonical(config.set, config.flip);
  ProtocolResult result =
      with_flip_test(run_all_pairs(name, vectors, set.labels(), config.far, context.threads()), set);
  warn_of_unresolved_rates(name, config.far, result.count_of("impostor_pairs"));
  if (context.pictures) add_hardest(config.set, set, vectors, context.threads(), result);
  if (parted) add_parts(*parted, config.far, vectors, set.labels(), context.threads(), result);
  return {result};
}

}  // namespace uir
