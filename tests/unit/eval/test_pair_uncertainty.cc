#include "uir/eval/pair_uncertainty.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

#include "support/catch.h"
#include "uir/base/random.h"
#include "uir/eval/uncertainty_example.h"
#include "uir/report/intervals.h"

using namespace uir;

namespace {

ScoredPairs without(const ScoredPairs& pairs, int64_t person) {
  ScoredPairs rest{{}, pairs.people};
  std::ranges::copy_if(pairs.pairs, std::back_inserter(rest.pairs),
                       [&](const ScoredPair& p) { return p.a != person && p.b != person; });
  return rest;
}

struct Rates {
  double far = 0, frr = 0;
};
Rates rates_at(const ScoredPairs& pairs, double threshold) {
  int64_t genuine = 0, rejected = 0, impostors = 0, accepted = 0;
  for (const ScoredPair& pair : pairs.pairs) {
    if (pair.a == pair.b) {
      ++genuine;
      rejected += pair.score < threshold;
    } else {
      ++impostors;
      accepted += pair.score >= threshold;
    }
  }
  return {static_cast<double>(accepted) / static_cast<double>(impostors),
          static_cast<double>(rejected) / static_cast<double>(genuine)};
}

// The interval of a rate whose values without each of the people are given.
Interval of_deletions(double rate, const std::vector<double>& without_each) {
  return interval_of_rate(rate, variance_of(without_each).value());
}

// Drawn scores of people of 1 to 5 images, some of them easier than others; few levels: many ties.
ScoredPairs drawn_pairs(uint64_t seed, int64_t people, int levels) {
  ItemRandom random(seed, RandomPurpose::kTest, 0, 0);
  std::vector<int64_t> person;
  std::vector<double> ease;
  for (int64_t p = 0; p < people; ++p) {
    person.insert(person.end(), static_cast<size_t>(1 + p % 5), p);
    ease.push_back(0.5 * random.normal());
  }
  ScoredPairs pairs{{}, people};
  for (size_t i = 0; i < person.size(); ++i) {
    for (size_t j = i + 1; j < person.size(); ++j) {
      const int64_t a = person[i], b = person[j];
      const double x =
          (a == b ? 2 : 0) + ease[static_cast<size_t>(a)] + ease[static_cast<size_t>(b)] + random.normal();
      pairs.pairs.push_back({a, b, levels == 0 ? x : std::round(x * levels) / levels});
    }
  }
  return pairs;
}

}  // namespace

TEST_CASE("the published example, in all its digits") {
  const ScoredPairs pairs = uncertainty_example();
  const Roc roc = roc_of(pairs);
  REQUIRE(roc.num_genuine() == 51);
  REQUIRE(roc.num_impostor() == 1030);
  const double fars[] = {.05}, thresholds[] = {.6};
  const PairUncertainty uncertainty(roc, fars, thresholds);
  const PeopleTally tally = tally_of(uncertainty, pairs);
  CHECK(rates_at(pairs, .6).far == Approx(90.0 / 1030).epsilon(1e-12));
  CHECK(rates_at(pairs, .6).frr == Approx(18.0 / 51).epsilon(1e-12));

  const auto near = [](double value) { return Approx(value).margin(6e-7).epsilon(0); };
  const Uncertainty far = uncertainty.far_at(tally, 0), tar = uncertainty.tar_at(tally, 0);
  CHECK(far.low == near(.040096));
  CHECK(far.high == near(.179964));
  CHECK(1 - tar.high == near(.177064));
  CHECK(1 - tar.low == near(.580322));
  CHECK(roc.auc() == Approx(.9253759756).epsilon(1e-10));
  CHECK(uncertainty.auc(tally).low == near(.864107));
  CHECK(uncertainty.auc(tally).high == near(.960291));
  const Uncertainty at_far = uncertainty.tar_at_far(tally, 0);
  CHECK(roc.at_most(.05).tar == near(.568627));
  CHECK(at_far.low == near(.330743));
  CHECK(at_far.high == near(.778566));
  CHECK(at_far.impostor_events == 51);
  CHECK(at_far.genuine_events == 22);
  CHECK(at_far.resolution == Resolution::kResolved);
}

TEST_CASE("rates at a threshold have the intervals of deleting each person, one by one") {
  const int levels = GENERATE(0, 3);
  const ScoredPairs pairs = drawn_pairs(7, 40, levels);
  const Roc roc = roc_of(pairs);
  const double thresholds[] = {1.4, 0.5};
  const PairUncertainty uncertainty(roc, {}, thresholds);
  const PeopleTally tally = tally_of(uncertainty, pairs);
  for (size_t t = 0; t < 2; ++t) {
    const Rates rates = rates_at(pairs, thresholds[t]);
    std::vector<double> fars, tars;
    for (int64_t person = 0; person < pairs.people; ++person) {
      const Rates left = rates_at(without(pairs, person), thresholds[t]);
      fars.push_back(left.far);
      if (person % 5 > 0) tars.push_back(1 - left.frr);  // of those who have genuine pairs
    }
    const Interval far = of_deletions(rates.far, fars), tar = of_deletions(1 - rates.frr, tars);
    CHECK(uncertainty.far_at(tally, t).low == Approx(far.low).epsilon(1e-9));
    CHECK(uncertainty.far_at(tally, t).high == Approx(far.high).epsilon(1e-9));
    CHECK(uncertainty.tar_at(tally, t).low == Approx(tar.low).epsilon(1e-9));
    CHECK(uncertainty.tar_at(tally, t).high == Approx(tar.high).epsilon(1e-9));
  }
}

TEST_CASE("TAR at FAR, AUC and EER are near what deleting each person gives, thresholds found anew") {
  const ScoredPairs pairs = drawn_pairs(11, 100, 0);
  const Roc roc = roc_of(pairs);
  const double fars[] = {.1};
  const PairUncertainty uncertainty(roc, fars);
  const PeopleTally tally = tally_of(uncertainty, pairs);
  std::vector<double> tars, aucs, eers, means;
  const auto mean_tar = [&](const ScoredPairs& some) {
    const Roc own = roc_of(some);
    const PairUncertainty of_some(own, fars);
    return of_some.tar_per_person(tally_of(of_some, some), 0).mean;
  };
  for (int64_t person = 0; person < pairs.people; ++person) {
    const ScoredPairs rest = without(pairs, person);
    const Roc left = roc_of(rest);
    tars.push_back(left.at_most(.1).tar);
    aucs.push_back(left.auc());
    eers.push_back(left.eer());
    means.push_back(mean_tar(rest));
  }
  const auto width = [](const auto& interval) { return interval.high - interval.low; };
  const PairUncertainty::PerPerson mean = uncertainty.tar_per_person(tally, 0);
  CHECK(mean.mean == mean_tar(pairs));
  CHECK(width(uncertainty.auc(tally)) == Approx(width(of_deletions(roc.auc(), aucs))).epsilon(.05));
  CHECK(width(uncertainty.tar_at_far(tally, 0)) ==
        Approx(width(of_deletions(roc.at_most(.1).tar, tars))).epsilon(.15));
  CHECK(width(mean.uncertainty) == Approx(width(of_deletions(mean.mean, means))).epsilon(.15));
  CHECK(width(uncertainty.eer(tally)) == Approx(width(of_deletions(roc.eer(), eers))).epsilon(.25));
}

TEST_CASE("the band has the intervals of rates along the curve, from ten events on") {
  const ScoredPairs pairs = drawn_pairs(11, 60, GENERATE(0, 4));
  const Roc roc = roc_of(pairs);
  const PairUncertainty uncertainty(roc, {}, {}, 24);
  const std::vector<PairUncertainty::BandPoint> band = uncertainty.band(tally_of(uncertainty, pairs));
  REQUIRE(band.size() >= 10);
  CHECK(band.size() <= 24);
  std::vector<double> fars;
  for (const PairUncertainty::BandPoint& point : band) fars.push_back(point.far);
  CHECK(std::ranges::is_sorted(fars, std::less_equal()));
  CHECK(fars.front() * static_cast<double>(roc.num_impostor()) >= 10 - 1e-9);
  const PairUncertainty rates(roc, fars);
  const PeopleTally tally = tally_of(rates, pairs);
  for (size_t f = 0; f < fars.size(); ++f) {
    const RocPoint point = roc.at_most(fars[f]);
    CHECK(point.far == fars[f]);  // a point of the curve
    CHECK(band[f].low < point.tar);
    CHECK(band[f].high > point.tar);
    CHECK(band[f].low == Approx(rates.tar_at_far(tally, f).low).epsilon(1e-12));
    CHECK(band[f].high == Approx(rates.tar_at_far(tally, f).high).epsilon(1e-12));
  }
  ProtocolResult result;
  for (const char* name : {"auc", "eer"}) result.number(name, 0);
  result.details["roc"] = Json::object();
  uncertainty.report(tally_of(uncertainty, pairs), "", result);
  REQUIRE(result.details["roc"]["band"].size() == band.size());
  CHECK(result.details["roc"]["band"][3] == Json({band[3].far, band[3].low, band[3].high}));
}

TEST_CASE("tallies do not depend on who counted what") {
  const ScoredPairs pairs = drawn_pairs(3, 20, 2);
  const Roc roc = roc_of(pairs);
  const double fars[] = {.05, .2};
  const PairUncertainty uncertainty(roc, fars);
  ScoredPairs first = pairs, second = pairs;
  first.pairs.resize(pairs.pairs.size() / 3);
  second.pairs.erase(second.pairs.begin(), second.pairs.begin() + std::ssize(first.pairs));
  PeopleTally tally = tally_of(uncertainty, second);
  tally.add(tally_of(uncertainty, first));
  const PeopleTally whole = tally_of(uncertainty, pairs);
  CHECK(tally.num_genuine() == roc.num_genuine());
  CHECK(tally.num_impostor() == roc.num_impostor());
  int64_t wins = 0;
  for (int64_t person = 0; person < pairs.people; ++person) wins += whole.genuine_wins(person);
  CHECK(static_cast<double>(wins) / 2 ==
        Approx(roc.auc() * static_cast<double>(roc.num_genuine() * roc.num_impostor())));
  for (size_t f = 0; f < 2; ++f) {
    CHECK(uncertainty.tar_at_far(tally, f).low == uncertainty.tar_at_far(whole, f).low);
    CHECK(uncertainty.auc(tally).high == uncertainty.auc(whole).high);
  }
}

TEST_CASE("the impostors that a rate allows beyond the last genuine score count in proportion") {
  // Of ten impostors between the genuine scores 1 and 3, two are above 3; a rate that allows six takes half.
  ScoredPairs pairs{{}, 24};
  for (int64_t p = 0; p < 12; ++p) {
    pairs.pairs.push_back({p, p, p < 6 ? 3.0 : 1.0});
    pairs.pairs.push_back({p, p + 12, p < 2 ? 4.0 : p < 10 ? 2.0 : 0.0});
  }
  const Roc roc = roc_of(pairs);
  const Roc::Cut cut = roc.cut_at(.5);
  CHECK(cut.allowed == 6);
  CHECK(cut.threshold == 3);
  CHECK(cut.accepted == 2);
  CHECK(cut.next == 1);
  CHECK(cut.above_next == 10);
}

TEST_CASE("what cannot be said is not said") {
  const double fars[] = {.1};
  const auto of = [&](const ScoredPairs& pairs) {
    const Roc roc = roc_of(pairs);
    const PairUncertainty uncertainty(roc, fars);
    return uncertainty.auc(tally_of(uncertainty, pairs));
  };
  SECTION("two people in all") {
    const Uncertainty two = of({{{0, 0, 1}, {1, 1, 2}, {0, 1, 1.5}, {0, 1, 0}}, 2});
    CHECK(!two.has_interval());
    CHECK(two.note == "fewer than three people have pairs");
  }
  SECTION("one person owns all genuine pairs") {
    const Uncertainty owner = of({{{0, 0, 1}, {0, 0, 2}, {0, 1, 1.5}, {1, 2, 0}, {2, 3, 0}}, 4});
    CHECK(owner.note == "one person owns all genuine pairs");
  }
  SECTION("one person stands in every impostor pair") {
    const Uncertainty hub = of({{{0, 0, 1}, {1, 1, 2}, {0, 1, 1.5}, {0, 2, 0}, {0, 3, 0}}, 4});
    CHECK(hub.note == "one person stands in every impostor pair");
    CHECK(hub.resolution == Resolution::kNotResolved);
  }
  SECTION("few impostors behind a rate") {
    const ScoredPairs pairs = drawn_pairs(5, 30, 0);
    const Roc roc = roc_of(pairs);
    const double few[] = {9.5 / static_cast<double>(roc.num_impostor()),
                          10.5 / static_cast<double>(roc.num_impostor()),
                          30.5 / static_cast<double>(roc.num_impostor())};
    const PairUncertainty uncertainty(roc, few);
    const PeopleTally tally = tally_of(uncertainty, pairs);
    CHECK(uncertainty.tar_at_far(tally, 0).resolution == Resolution::kNotResolved);
    CHECK(!uncertainty.tar_at_far(tally, 0).has_interval());
    CHECK(!uncertainty.tar_per_person(tally, 0).uncertainty.has_interval());
    CHECK(uncertainty.tar_at_far(tally, 1).resolution == Resolution::kWeak);
    CHECK(uncertainty.tar_at_far(tally, 1).has_interval());
    CHECK(uncertainty.tar_at_far(tally, 2).resolution == Resolution::kResolved);
    CHECK(uncertainty.tar_at_far(tally, 2).effective_events <= 30);
  }
}

TEST_CASE("a rate without mistakes has a bound of one side") {
  ScoredPairs pairs{{}, 40};
  for (int64_t p = 0; p < 40; ++p) {
    pairs.pairs.push_back({p, p, 5});
    for (int64_t q = p + 1; q < 40; ++q) pairs.pairs.push_back({p, q, static_cast<double>((p + q) % 7) / 7});
  }
  const Roc roc = roc_of(pairs);
  const double fars[] = {.05}, thresholds[] = {2};
  const PairUncertainty uncertainty(roc, fars, thresholds);
  const PeopleTally tally = tally_of(uncertainty, pairs);
  const Uncertainty tar = uncertainty.tar_at_far(tally, 0), far = uncertainty.far_at(tally, 0);
  CHECK(tar.low == Approx(1 - 3.0 / 40));
  CHECK(tar.high == 1);
  CHECK(far.low == 0);
  CHECK(far.high >= 3.0 / 780);
  CHECK(far.note == "none: a bound of one side");
}

TEST_CASE("quantiles of Student's t and of Clopper and Pearson, as published") {
  CHECK(t_quantile(1) == Approx(12.7062047).epsilon(1e-8));
  CHECK(t_quantile(9) == Approx(2.26215716).epsilon(1e-8));
  CHECK(t_quantile(1e6) == Approx(1.95996636).epsilon(1e-7));
  const Interval none = clopper_pearson(0, 10), half = clopper_pearson(5, 10), all = clopper_pearson(10, 10);
  CHECK(none.low == 0);
  CHECK(none.high == Approx(.30849711).epsilon(1e-7));
  CHECK(half.low == Approx(.18708603).epsilon(1e-7));
  CHECK(half.high == Approx(.81291397).epsilon(1e-7));
  CHECK(all.low == Approx(.69150289).epsilon(1e-7));
  CHECK(all.high == 1);
}

TEST_CASE("degrees of freedom stay within their bounds") {
  CHECK(!variance_of({1, 2}));
  CHECK(variance_of({1, 1, 1})->value == 0);
  CHECK(variance_of({0, 0, 0, 0, 0, 0, 0, 1})->df == 4);  // one person decides
  CHECK(variance_of({-1, 1, -1, 1, -1, 1})->df == 5);     // all alike
  CHECK(variance_of({-1, 1, 0})->df == 2);
  const Variance sum = sum_of({1, 10}, {1, 10});
  CHECK(sum.value == 2);
  CHECK(sum.df == Approx(20));
}
