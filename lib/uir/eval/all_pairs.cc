#include "uir/eval/all_pairs.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "uir/base/error.h"
#include "uir/base/progress.h"
#include "uir/eval/context.h"
#include "uir/eval/pair_uncertainty.h"
#include "uir/eval/report_roc.h"
#include "uir/report/report.h"
#include "uir/search/exact_scores.h"

namespace uir {
namespace {

constexpr NamedMeaning kMeanings[] = {
    {"auc", kHigherRate}, {"eer", kLowerRate}, {"tar_at_far", kHigherRate}, {"achieved_far", kPlainRate}};

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

// Scores of all pairs of one identity.
std::vector<double> genuine_scores(const CanonicalVectors& vectors, std::span<const int64_t> labels) {
  std::vector<int64_t> rows(labels.size());
  std::iota(rows.begin(), rows.end(), 0);
  std::ranges::stable_sort(rows, {}, [&](int64_t row) { return labels[static_cast<size_t>(row)]; });
  std::vector<double> scores;
  for (size_t i = 0; i < rows.size(); ++i) {
    for (size_t j = i + 1; j < rows.size() && labels[rows[j]] == labels[rows[i]]; ++j) {
      scores.push_back(score(vectors.row(rows[i]), vectors.row(rows[j])));
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

// Calls add(state, a, b, score) for every pair of rows a < b, on states that begin as `empty`; merge(state)
// takes each thread's.
template <class State, class Add, class Merge>
void reduce_pairs(const char* what, const CanonicalVectors& vectors, int threads, const State& empty,
                  Add&& add, Merge&& merge) {
  const ScoreColumns columns(vectors.view());
  Progress progress(what, "images", vectors.rows);
  const auto add_block = [&](State& state, int64_t begin, int64_t end) {
    visit_scores(vectors.view(), begin, end, columns, begin,
                 [&](int64_t row, int64_t first, std::span<const double> scores) {
                   const auto width = static_cast<int64_t>(scores.size());
                   for (int64_t c = std::max<int64_t>(0, row + 1 - first); c < width; ++c)
                     add(state, row, first + c, scores[c]);
                 });
    progress.add(end - begin);
  };
  reduce_blocks(vectors.rows, kScoreRows, threads, empty, add_block, merge);
}

}  // namespace

NumberFacts AllPairsProtocol::number_facts() { return {kMeanings, {}}; }

Roc all_pairs_roc(const CanonicalVectors& vectors, std::span<const int64_t> labels, int threads) {
  check_labels(vectors, labels);
  Roc roc(genuine_scores(vectors, labels));
  Roc result = roc;
  reduce_pairs(
      "scoring all pairs", vectors, threads, roc.counter(),
      [&](Roc::Counter& counter, int64_t a, int64_t b, double score) {
        if (labels[a] != labels[b]) roc.count(score, counter);
      },
      [&](const Roc::Counter& counter) { result.merge(counter); });
  return result;
}

PeopleTally all_pairs_tally(const PairUncertainty& uncertainty, const CanonicalVectors& vectors,
                            std::span<const int64_t> labels, int threads) {
  std::vector<int64_t> people = distinct(labels), person;
  for (const int64_t label : labels)
    person.push_back(std::ranges::lower_bound(people, label) - people.begin());
  const PeopleTally empty = uncertainty.empty_tally(std::ssize(people));
  PeopleTally result = empty;
  reduce_pairs(
      "counting the pairs of each person", vectors, threads, empty,
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

ProtocolResult run_all_pairs(const std::string& name, const CanonicalVectors& vectors,
                             std::span<const int64_t> labels, const std::vector<double>& far, int threads,
                             bool intervals) {
  const Roc roc = all_pairs_roc(vectors, labels, threads);
  auto report = ProtocolResult::of<AllPairsProtocol>(name);
  report.description =
      "Every unordered pair of images of the set: genuine when both show one identity, else impostor. Score: "
      "cosine of "
      "the unit vectors. AUC, EER, and TAR at FAR by the rule at_most (the largest TAR whose FAR does not "
      "exceed the "
      "target), exact.";
  report.count("images", vectors.rows);
  report.count("identities", std::ssize(distinct(labels)));
  report.count("genuine_pairs", roc.num_genuine());
  report.count("impostor_pairs", roc.num_impostor());
  report_roc(roc, far, report);
  if (intervals && roc.defined()) {
    const PairUncertainty uncertainty(roc, far, {}, PairUncertainty::kBandPoints);
    uncertainty.report(all_pairs_tally(uncertainty, vectors, labels, threads), "", report);
  }
  return report;
}

std::vector<std::string> sets_of(const AllPairsProtocol& config) { return {config.set}; }

std::vector<std::string> problems_of(const AllPairsProtocol& config, const KnownSources& sources) {
  return sources.problems_of_sets({{"set", {config.set}}});
}

std::vector<ProtocolResult> measure(const std::string& name, const AllPairsProtocol& config,
                                    EvalContext& context) {
  const EmbeddingStore set = context.sets.store(config.set, config.flip);
  const CanonicalVectors& vectors = context.sets.canonical(config.set, config.flip);
  ProtocolResult result = run_all_pairs(name, vectors, set.labels(), config.far, context.threads());
  const auto impostors =
      std::ranges::find(result.counts, "impostor_pairs", &std::pair<std::string, int64_t>::first);
  warn_of_unresolved_rates(name, config.far, impostors->second);
  return {with_flip_test(std::move(result), set)};
}

}  // namespace uir
