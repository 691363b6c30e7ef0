#include <functional>
#include <initializer_list>
#include <optional>
#include <utility>

#include "support/brute_force.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/temp_folder.h"
#include "uir/eval/all_pairs.h"
#include "uir/eval/trillion_pairs.h"
#include "uir/report/comparison.h"
#include "uir/report/intervals.h"
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

// Of a row with its own person's images and with those of others in the gallery; −2: none.
std::pair<double, double> best_scores(const Faces& f, int64_t i) {
  double own = -2, other = -2;
  for (int64_t j = 0; j < f.vectors.rows; ++j) {
    if (j == i || f.labels[j] < 0) continue;
    double& mine = f.labels[j] == f.labels[i] ? own : other;
    mine = std::max(mine, brute::dot(f.vectors, std::min(i, j), std::max(i, j)));
  }
  return {own, other};
}

// Share of probes whose own best score is above all others of the gallery and above a threshold that at most
// the share `rate` of distractors reach: tried for every threshold.
double identification(const Faces& f, double rate) {
  std::vector<double> best, hits;
  int64_t probes = 0;
  for (int64_t i = 0; i < f.vectors.rows; ++i) {
    const auto [own, other] = best_scores(f, i);
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

const Uncertainty& uncertainty_of(const ProtocolResult& result, const std::string& name) {
  return std::ranges::find(result.numbers, name, &Measurement::name)->uncertainty.value();
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
    for (const Measurement& measured : result.numbers)
      CHECK(uncertainty_of(*continued, measured.name).influences == measured.uncertainty.value().influences);
  }
}

namespace {

// Gallery people of 1 to 5 images, some of them doubles of others, and distractors, some of them like one of
// these.
Faces people_and_distractors(int64_t people, int64_t distractors) {
  std::vector<int64_t> labels, looks;
  for (int64_t p = 0; p < people; ++p) {
    for (int64_t i = 0; i <= p % 5; ++i) {
      labels.push_back(p);
      looks.push_back(p % 7 == 0 ? p / 2 : p);
    }
  }
  for (int64_t d = 0; d < distractors; ++d) {
    labels.push_back(-1);
    looks.push_back(d % 4 == 0 ? d / 4 % people : people + d);
  }
  return {brute::faces(looks, 12, 0.8, 6), labels};
}

Faces without(const Faces& f, const std::function<bool(int64_t row)>& leaves) {
  Faces rest{{{}, 0, f.vectors.cols}, {}};
  for (int64_t i = 0; i < f.vectors.rows; ++i) {
    if (leaves(i)) continue;
    rest.vectors.values.insert(rest.vectors.values.end(), f.vectors.row(i).begin(), f.vectors.row(i).end());
    ++rest.vectors.rows;
    rest.labels.push_back(f.labels[static_cast<size_t>(i)]);
  }
  return rest;
}

// A number without each person of the gallery, and without each distractor.
std::vector<std::vector<double>> deletions(const Faces& f,
                                           const std::function<double(const Faces&)>& number) {
  std::vector<std::vector<double>> values(2);
  for (int64_t person = 0; person <= std::ranges::max(f.labels); ++person)
    values[0].push_back(number(without(f, [&](int64_t row) { return f.labels[row] == person; })));
  for (int64_t i = 0; i < f.vectors.rows; ++i) {
    if (f.labels[i] < 0) values[1].push_back(number(without(f, [&](int64_t row) { return row == i; })));
  }
  return values;
}

// Shares of the probes that are first and above t, and of the distractors above t.
std::pair<double, double> shares_at(const Faces& f, double t) {
  double probes = 0, hits = 0, distractors = 0, alarms = 0;
  for (int64_t i = 0; i < f.vectors.rows; ++i) {
    const auto [own, other] = best_scores(f, i);
    if (f.labels[i] < 0) {
      ++distractors;
      alarms += other > t;
    } else if (own > -2) {
      ++probes;
      hits += own > other && own > t;
    }
  }
  return {hits / probes, alarms / distractors};
}

double width(const Interval& interval) { return interval.high - interval.low; }

}  // namespace

TEST_CASE("intervals are those of deleting each person and each distractor") {
  const Faces f = people_and_distractors(40, 90);
  const auto result_of = [](const Faces& some, Impostors impostors, int threads = 1) {
    return run_trillion_pairs("t", UnitRows(some.vectors), some.labels, config_of(impostors, {.02}, {.2}),
                              {{.resources = {.threads = threads}}});
  };
  for (const Impostors impostors : {Impostors::kGalleryXDistractors, Impostors::kAll}) {
    const ProtocolResult result = result_of(f, impostors);
    const auto left = deletions(
        f, [&](const Faces& some) { return result_of(some, impostors).value_of("tpr_at_fpr_0.02"); });
    const Uncertainty& tpr = uncertainty_of(result, "tpr_at_fpr_0.02");
    const Interval near =
        interval_of_rate(result.value_of("tpr_at_fpr_0.02"),
                         sum_of(variance_of(left[0]).value(), variance_of(left[1]).value()));
    CHECK(tpr.high - tpr.low == Approx(width(near)).epsilon(.2));
    CHECK(tpr.impostor_events == (impostors == Impostors::kAll ? 355 : 216));
    CHECK(tpr.resolution == Resolution::kResolved);
    const ProtocolResult again = result_of(f, impostors, 3);
    CHECK(uncertainty_of(again, "tpr_at_fpr_0.02").influences == tpr.influences);
  }

  // Who is first depends on nothing but the people; without a threshold to be found it is exact.
  const ProtocolResult result = result_of(f, Impostors::kGalleryXDistractors);
  const double first = result.value_of("identification_rank_1");
  std::vector<double> left = deletions(f, [](const Faces& some) { return shares_at(some, -2).first; })[0];
  const Interval of_first = interval_of_rate(first, variance_of(left).value());
  REQUIRE(first < .9);
  CHECK(uncertainty_of(result, "identification_rank_1").low == Approx(of_first.low).epsilon(1e-9));
  CHECK(uncertainty_of(result, "identification_rank_1").high == Approx(of_first.high).epsilon(1e-9));

  // With one: the influences at the threshold, and the slope of the one share with the other.
  std::vector<double> best;
  for (const double rate : {.2, .4, .1}) {
    const auto limits = run_trillion_pairs("t", UnitRows(f.vectors), f.labels,
                                           config_of(Impostors::kGalleryXDistractors, {}, {rate}), {})
                            .details["identification_thresholds"];
    best.push_back(limits[0]["above"].get<double>());
  }
  const auto at = shares_at(f, best[0]), twice = shares_at(f, best[1]), half = shares_at(f, best[2]);
  const double b = (twice.first - half.first) / (twice.second - half.second);
  const auto number = [&](const std::pair<double, double>& shares) {
    return shares.first - b * shares.second;
  };
  const auto without_each = deletions(f, [&](const Faces& some) { return number(shares_at(some, best[0])); });
  const Uncertainty& dir = uncertainty_of(result, "identification_tpr_at_fpr_0.2");
  REQUIRE(b > 0);
  for (const size_t group : {0, 1}) {
    REQUIRE(dir.influences[group].size() == without_each[group].size());
    for (size_t i = 0; i < dir.influences[group].size(); ++i)
      CHECK(dir.influences[group][i] == Approx(number(at) - without_each[group][i]).margin(1e-12));
  }
  CHECK(dir.impostor_events == 18);
  CHECK(dir.resolution == Resolution::kWeak);
  CHECK_THAT(dir.note, contains_text("at least this wide"));
}

TEST_CASE("two models differ by the same people and distractors") {
  const Faces f = people_and_distractors(40, 90);
  Faces noisy = f;
  const std::vector<float> noise = brute::random_values(std::ssize(f.vectors.values), 9);
  for (size_t i = 0; i < noise.size(); ++i) noisy.vectors.values[i] += .2F * noise[i];
  noisy.vectors = canonical_vectors({noisy.vectors.values.data(), f.vectors.rows, f.vectors.cols});
  Report report;
  for (const Faces* some : std::initializer_list<const Faces*>{&f, &noisy}) {
    report.models.push_back({some == &f ? "a" : "b",
                             {},
                             {run_trillion_pairs("t", UnitRows(some->vectors), some->labels,
                                                 config_of(Impostors::kAll, {.02}, {.2}), {})}});
  }
  const Comparison comparison = compare(report);
  REQUIRE(comparison.protocols[0].numbers.size() == 3);
  for (const ComparedNumber& number : comparison.protocols[0].numbers) {
    INFO(number.name);
    const std::optional<Interval> interval = number.difference_interval(1);
    REQUIRE(interval);
    CHECK(interval->low < number.difference(1));
    CHECK(interval->high > number.difference(1));
    CHECK(!number.verdict(1).empty());
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
