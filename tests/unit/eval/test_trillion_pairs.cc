#include <optional>

#include "support/brute_force.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/temp_folder.h"
#include "uir/eval/all_pairs.h"
#include "uir/eval/trillion_pairs.h"
#include "uir/report/report.h"
#include "uir/search/pair_scan.h"
#include "uir/search/unit_rows.h"

namespace uir {
namespace {

struct Faces {
  CanonicalVectors vectors;
  std::vector<int64_t> labels;
};

// Whole-numbered vectors (so that scores tie) or noisy faces; a third of the rows are distractors.
Faces make_faces(int64_t n, bool ties, uint64_t seed) {
  Faces faces;
  for (int64_t i = 0; i < n; ++i) faces.labels.push_back(i % 3 == 1 ? -1 : (i * 7) % (n / 6 + 1));
  if (!ties) {
    faces.vectors = brute::faces(faces.labels, 7, 1.2, seed);
    return faces;
  }
  ItemRandom random(seed, RandomPurpose::kTest, 0, 0);
  std::vector<float> values;
  for (int64_t i = 0; i < n * 6; ++i)
    values.push_back(i % 6 == 0 ? 1 : static_cast<float>(random.below(3)) - 1);
  faces.vectors = canonical_vectors({values.data(), n, 6});
  return faces;
}

brute::Scores pair_scores(const Faces& f, bool all) {
  brute::Scores scores;
  for (int64_t i = 0; i < f.vectors.rows; ++i) {
    for (int64_t j = i + 1; j < f.vectors.rows; ++j) {
      const int64_t a = f.labels[i], b = f.labels[j];
      if (a < 0 && b < 0) continue;
      const double score = brute::dot(f.vectors, i, j);
      if (a == b) {
        scores.genuine.push_back(score);
      } else if (all || a < 0 || b < 0) {
        scores.impostor.push_back(score);
      }
    }
  }
  return scores;
}

// Share of probes whose own best score is above all others of the gallery and above a threshold that at most
// the share `rate` of distractors reach: tried for every threshold.
double identification(const Faces& f, double rate) {
  std::vector<double> best, hits;
  int64_t probes = 0;
  for (int64_t i = 0; i < f.vectors.rows; ++i) {
    double own = -2, other = -2;
    for (int64_t j = 0; j < f.vectors.rows; ++j) {
      if (j == i || f.labels[j] < 0) continue;
      double& mine = f.labels[j] == f.labels[i] ? own : other;
      mine = std::max(mine, brute::dot(f.vectors, std::min(i, j), std::max(i, j)));
    }
    if (f.labels[i] < 0) {
      best.push_back(other);
    } else if (own > -2) {
      ++probes;
      if (own > other) hits.push_back(own);
    }
  }
  double most = 0;
  for (double t : hits) {
    if (brute::share_at_least(best, t) > rate) continue;
    most = std::max(most, static_cast<double>(std::ranges::count_if(hits, [&](double h) { return h >= t; })));
  }
  return most / static_cast<double>(probes);
}

TrillionPairsProtocol config_of(Impostors impostors, std::vector<double> fpr,
                                std::vector<double> identification) {
  return {"set", impostors, std::move(fpr), std::move(identification), {}, true};
}

}  // namespace

TEST_CASE("TPR at FPR and identification agree with brute force, with and without ties") {
  const bool ties = GENERATE(false, true);
  const int64_t n = GENERATE(9, 60, 100);
  const Faces f = make_faces(n, ties, 21);
  const std::vector<double> rates{1e-9, 1e-3, 0.01, 0.03, 0.2, 0.999, 1};
  for (const Impostors impostors : {Impostors::kGalleryXDistractors, Impostors::kAll}) {
    const brute::Scores scores = pair_scores(f, impostors == Impostors::kAll);
    for (int threads : {1, 3}) {
      const ProtocolResult result =
          run_trillion_pairs("t", UnitRows(f.vectors), f.labels, config_of(impostors, rates, rates),
                             {{.resources = {.threads = threads}}});
      for (double rate : rates) {
        INFO("ties " << ties << ", n " << n << ", rate " << rate);
        CHECK(result.value_of(name_with_rate("tpr_at_fpr", rate)) == brute::tar_at_most(scores, rate));
        CHECK(result.value_of(name_with_rate("identification_tpr_at_fpr", rate)) == identification(f, rate));
      }
      const auto counts =
          std::vector<std::pair<std::string, int64_t>>(result.counts.begin() + 3, result.counts.begin() + 5);
      CHECK(counts ==
            std::vector<std::pair<std::string, int64_t>>{{"genuine_pairs", std::ssize(scores.genuine)},
                                                         {"impostor_pairs", std::ssize(scores.impostor)}});
    }
  }
}

TEST_CASE("without distractors, all impostors give what all_pairs gives") {
  Faces f = make_faces(150, true, 4);
  for (int64_t& label : f.labels) label = std::max<int64_t>(label, 0);
  const auto result = run_trillion_pairs("lfr", UnitRows(f.vectors), f.labels,
                                         config_of(Impostors::kAll, {1e-8, 1e-2}, {}), {});
  const Roc roc = all_pairs_roc(f.vectors, f.labels);
  CHECK(result.value_of("tpr_at_fpr_0.01") == roc.at_most(1e-2).tar);
  CHECK(result.value_of("tpr_at_fpr_1e-08") == roc.at_most(1e-8).tar);
  CHECK(result.details["thresholds"][1]["achieved_fpr"] == roc.at_most(1e-2).far);
  CHECK(result.details["thresholds"][1]["threshold"] == roc.at_most(1e-2).threshold);
  CHECK_THAT(result.description, contains_text("never published"));
}

TEST_CASE("what cannot be measured is an error or undefined, never zero") {
  const Faces f = make_faces(30, false, 4);
  const UnitRows rows(f.vectors);
  const auto run = [&](const std::vector<int64_t>& labels, Impostors impostors,
                       std::vector<double> identification) {
    return run_trillion_pairs("t", rows, labels, config_of(impostors, {1e-3}, std::move(identification)), {});
  };
  const std::vector<int64_t> none(30, -1), one(30, 5);
  CHECK(kind_of([&] { run(none, Impostors::kAll, {}); }) == ErrorKind::kData);
  CHECK(kind_of([&] { run(one, Impostors::kAll, {}); }) == ErrorKind::kData);
  CHECK(kind_of([&] { run(one, Impostors::kGalleryXDistractors, {}); }) == ErrorKind::kData);
  std::vector<int64_t> singles(30, -1);
  for (int64_t i = 0; i < 10; ++i) singles[i] = i;
  CHECK(kind_of([&] {
          run(std::vector<int64_t>(singles.begin(), singles.begin() + 10), Impostors::kAll, {});
        }) == ErrorKind::kInternal);
  const ProtocolResult result = run(singles, Impostors::kGalleryXDistractors, {0.1});
  CHECK(std::isnan(result.value_of("tpr_at_fpr_0.001")));
  CHECK(std::isnan(result.value_of("identification_tpr_at_fpr_0.1")));
}

TEST_CASE("the protocol continues after interruptions at any block") {
  const TempFolder folder;
  const Faces f = make_faces(900, true, 5);
  const UnitRows rows(f.vectors);
  const auto config = config_of(Impostors::kAll, {1e-3}, {0.01});
  const Json expected = run_trillion_pairs("t", rows, f.labels, config, {}).details;
  int stops = 0;
  for (;; ++stops) {
    REQUIRE(stops < 20);
    int asked = 0;
    DividedScanOptions run;
    run.state = folder / "t";
    run.stop = [&] { return ++asked > 1; };
    Json details;
    const auto error =
        error_of([&] { details = run_trillion_pairs("t", rows, f.labels, config, run).details; });
    if (!error) {
      CHECK(details == expected);
      break;
    }
    CHECK(error->kind() == ErrorKind::kStopped);
  }
  CHECK(stops >= 3);
  for (const fs::path& state : trillion_pairs_states(folder / "t")) CHECK(fs::exists(state));
}

TEST_CASE("one low rate at a time, so that thresholds leave out most pairs; interruptions lose nothing") {
  const Faces f = make_faces(900, false, 5);
  const UnitRows rows(f.vectors);
  std::vector<double> strangers;  // their best scores with the gallery
  for (int64_t i = 0; i < f.vectors.rows; ++i) {
    if (f.labels[i] >= 0) continue;
    double best = -2;
    for (int64_t j = 0; j < f.vectors.rows; ++j) {
      if (f.labels[j] >= 0) best = std::max(best, brute::dot(f.vectors, std::min(i, j), std::max(i, j)));
    }
    strangers.push_back(best);
  }
  std::ranges::sort(strangers, std::greater<>());
  for (const double rate : {0.01, 0.05, 0.4, 0.8}) {
    INFO("rate " << rate);
    const TempFolder folder;
    const auto config = config_of(Impostors::kAll, {1e-4}, {rate});
    const std::string number = name_with_rate("identification_tpr_at_fpr", rate);
    const ProtocolResult result = run_trillion_pairs("t", rows, f.labels, config, {});
    const auto allowed = static_cast<size_t>(allowed_at_most(std::ssize(strangers), rate));
    CHECK(result.details["identification_thresholds"][0]["above"] == strangers[allowed]);
    CHECK(result.value_of(number) == identification(f, rate));

    std::optional<ProtocolResult> continued;
    for (int stops = 0; !continued; ++stops) {
      REQUIRE(stops < 30);
      int asked = 0;
      DividedScanOptions run;
      run.state = folder / "t";
      run.stop = [&] { return ++asked > 1; };
      const auto error = error_of([&] { continued = run_trillion_pairs("t", rows, f.labels, config, run); });
      if (error) CHECK(error->kind() == ErrorKind::kStopped);
    }
    CHECK(continued->value_of(number) == result.value_of(number));
    CHECK(continued->value_of("identification_rank_1") == result.value_of("identification_rank_1"));
    CHECK(continued->details == result.details);
  }
}

TEST_CASE("how many impostors a rate allows") {
  CHECK(allowed_at_most(435'000'000'000, 1e-9) == 435);
  CHECK(allowed_at_most(999'999'999, 1e-9) == 0);
  CHECK(allowed_at_most(1'000'000'000, 1e-9) == 1);
  CHECK(allowed_at_most(10, 0.3) == 3);
  CHECK(allowed_at_most(10, 2) == 10);
  CHECK(allowed_at_most(0, 0.5) == 0);
  for (int64_t n : {7, 100, 12345}) {
    for (double rate : {1e-4, 0.1, 0.29, 0.57, 0.99}) {
      const int64_t k = allowed_at_most(n, rate);
      CHECK(static_cast<double>(k) / static_cast<double>(n) <= rate);
      CHECK(static_cast<double>(k + 1) / static_cast<double>(n) > rate);
    }
  }
}

}  // namespace uir
