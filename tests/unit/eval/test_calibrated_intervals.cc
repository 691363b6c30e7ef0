// Intervals at thresholds that a calibration chose, against everything counted anew without each person.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <set>
#include <vector>

#include "support/brute_force.h"
#include "support/catch.h"
#include "uir/base/random.h"
#include "uir/eval/calibration.h"
#include "uir/eval/open_set.h"
#include "uir/eval/verification.h"
#include "uir/report/intervals.h"
#include "uir/report/report.h"

namespace uir {
namespace {

// A rate without each of the people: its variance is that of these values.
Variance of_deletions(const std::vector<double>& without_each) { return variance_of(without_each).value(); }

Interval expected_interval(double rate, Variance variance, double trials) {
  variance.value = std::max(variance.value, rate * (1 - rate) / trials);
  return interval_of_rate(rate, variance);
}

const Uncertainty& uncertainty_of(const ProtocolResult& result, std::string_view name) {
  const auto found = std::ranges::find(result.numbers, name, &Measurement::name);
  REQUIRE(found != result.numbers.end());
  REQUIRE(found->uncertainty.has_value());
  return *found->uncertainty;
}

void check(const Uncertainty& uncertainty, const Interval& expected) {
  CHECK(uncertainty.low == Approx(expected.low).epsilon(1e-9));
  CHECK(uncertainty.high == Approx(expected.high).epsilon(1e-9));
}

// Fewer than ten events, and none: what `effect` leaves of them.
void check_few(const Uncertainty& uncertainty, int64_t events, int64_t trials, double effect) {
  REQUIRE(effect > 1);
  CHECK(uncertainty.impostor_events == events);
  CHECK(uncertainty.resolution == Resolution::kNotResolved);
  const auto n = static_cast<double>(trials) / effect;
  if (events > 0) return check(uncertainty, clopper_pearson(static_cast<double>(events) / effect, n));
  check(uncertainty, {0, 3 / n});
  CHECK_THAT(uncertainty.note, contains_text("a bound of one side"));
}

struct Scored {
  int64_t a = 0, b = 0;  // people
  double distance = 0;

  bool genuine() const { return a == b; }
  double cosine() const { return 1 - distance / 2; }
};

struct Verified {
  CanonicalVectors vectors;
  std::vector<int64_t> labels;
  PairList pairs;
  std::vector<Scored> scored;

  explicit Verified(uint64_t seed) {
    for (int64_t person = 0; person < 40; ++person)
      labels.insert(labels.end(), static_cast<size_t>(2 + person % 3), person);
    vectors = brute::faces(labels, 12, 1.2, static_cast<int>(seed));
    ItemRandom random(seed, RandomPurpose::kTest, 0, 0);
    for (int64_t a = 0; a < vectors.rows; ++a) {
      for (int64_t b = a + 1; b < vectors.rows; ++b) {
        const bool same = labels[static_cast<size_t>(a)] == labels[static_cast<size_t>(b)];
        if (same || random.chance(0.3)) pairs.pairs.push_back({a, b, same});
      }
    }
    pairs.folds = contiguous_folds(std::ssize(pairs.pairs), 10);
    const std::vector<double> distances = pair_distances(vectors, pairs);
    for (size_t i = 0; i < distances.size(); ++i)
      scored.push_back({labels[static_cast<size_t>(pairs.pairs[i].a)],
                        labels[static_cast<size_t>(pairs.pairs[i].b)], distances[i]});
  }

  // The impostors' cosines, highest first.
  std::vector<double> impostors() const {
    std::vector<double> cosines;
    for (const Scored& pair : scored) {
      if (!pair.genuine()) cosines.push_back(pair.cosine());
    }
    std::ranges::sort(cosines, std::greater());
    return cosines;
  }
  // Mean weight of the pairs of a kind that one person (−1: nobody) has no part in.
  double mean(bool genuine, const std::function<double(const Scored&)>& weight, int64_t without = -1) const {
    double sum = 0, all = 0;
    for (const Scored& pair : scored) {
      if (pair.genuine() != genuine || pair.a == without || pair.b == without) continue;
      sum += weight(pair);
      ++all;
    }
    return sum / all;
  }
  Variance variance(bool genuine, const std::function<double(const Scored&)>& weight) const {
    std::vector<double> without_each;
    for (int64_t person = 0; person < 40; ++person) without_each.push_back(mean(genuine, weight, person));
    return of_deletions(without_each);
  }
  // Where fifty impostors are accepted: all from a genuine score on, of those down to the next a part.
  double design_effect() const {
    std::vector<double> genuine;
    for (const Scored& pair : scored) {
      if (pair.genuine()) genuine.push_back(-pair.distance);
    }
    std::ranges::sort(genuine, std::greater());
    const auto count = [&](double score, bool at) {
      return static_cast<double>(std::ranges::count_if(scored, [&](const Scored& pair) {
        return !pair.genuine() && (at ? -pair.distance >= score : -pair.distance > score);
      }));
    };
    size_t last = 0;
    while (count(genuine[last + 1], true) <= 50) ++last;
    const double high = genuine[last], low = genuine[last + 1], above = count(high, true);
    const double part = std::min(1.0, (50 - above) / (count(low, false) - above));
    const auto weight = [&](const Scored& pair) {
      return -pair.distance >= high ? 1.0 : -pair.distance > low ? part : 0.0;
    };
    const double far = mean(false, weight);
    return variance(false, weight).value / (far * (1 - far) / static_cast<double>(impostors().size()));
  }
};

}  // namespace

TEST_CASE("verification at calibrated thresholds has the intervals of deleting each person") {
  const Verified data(GENERATE(1, 2));
  const std::vector<double> impostors = data.impostors();
  Calibration calibration;
  const auto between = [&](size_t accepted) { return (impostors[accepted - 1] + impostors[accepted]) / 2; };
  calibration.pairs = {{.1, 0, between(200), 0},     {.01, 0, between(15), 0},
                       {.001, 0, between(4), 0},     {.0001, 0, impostors[0] + .001, 0},
                       {.00001, 0, std::nullopt, 0}, {.000001, 0, 2.0, 0}};  // above all scores
  const ProtocolResult result = run_verification("pairs", data.vectors, data.pairs, 2, &calibration,
                                                 std::span<const int64_t>(data.labels));
  for (const CalibratedThreshold& wanted : calibration.pairs) {
    const std::string far_name = name_with_rate("far_calibrated_for", wanted.rate),
                      tar_name = name_with_rate("tar_calibrated_for", wanted.rate);
    if (!wanted.threshold) {
      CHECK(std::ranges::find(result.numbers, far_name, &Measurement::name) == result.numbers.end());
      continue;
    }
    const auto accepted = [&](const Scored& pair) { return pair.cosine() >= *wanted.threshold ? 1.0 : 0.0; };
    const double far = data.mean(false, accepted), tar = data.mean(true, accepted);
    CHECK(result.value_of(far_name) == far);
    CHECK(result.value_of(tar_name) == tar);
    const auto pairs = static_cast<double>(data.scored.size() - impostors.size());
    const Uncertainty &of_tar = uncertainty_of(result, tar_name), &of_far = uncertainty_of(result, far_name);
    CHECK(of_tar.genuine_events == std::lround((1 - tar) * pairs));
    if (tar > 0) check(of_tar, expected_interval(tar, data.variance(true, accepted), pairs));
    const auto events = std::lround(far * static_cast<double>(impostors.size()));
    if (events < 10) {
      check_few(of_far, events, std::ssize(impostors), data.design_effect());
    } else {
      check(of_far,
            expected_interval(far, data.variance(false, accepted), static_cast<double>(impostors.size())));
      CHECK(of_far.resolution == (events < 30 ? Resolution::kWeak : Resolution::kResolved));
      CHECK(of_far.influences.size() == 1);
    }
  }
  CHECK(result.value_of("tar_calibrated_for_1e-06") == 0);
  CHECK(uncertainty_of(result, "tar_calibrated_for_1e-06").note == "none: a bound of one side");
}

TEST_CASE("without pairs of a kind, calibrated rates are undefined and say why") {
  const Verified data(1);
  PairList genuine;
  for (const Pair& pair : data.pairs.pairs) {
    if (pair.same) genuine.pairs.push_back(pair);
  }
  genuine.folds = contiguous_folds(std::ssize(genuine.pairs), 10);
  Calibration calibration;
  calibration.pairs = {{.1, 0, 0.5, 0}};
  const ProtocolResult result = run_verification("pairs", data.vectors, genuine, 1, &calibration,
                                                 std::span<const int64_t>(data.labels));
  const auto far = std::ranges::find(result.numbers, "far_calibrated_for_0.1", &Measurement::name);
  REQUIRE(far != result.numbers.end());
  CHECK(!far->defined());
  CHECK(far->note == "there are no pairs of different people");
  CHECK(result.value_of("tar_calibrated_for_0.1") > 0);
}

namespace {

// People 0 … 29 are in the gallery, the others are strangers.
struct OpenSet {
  std::vector<int64_t> labels;
  CanonicalVectors vectors;
  OpenSetLists lists;
  static constexpr int64_t kKnown = 30, kPeople = 90;

  explicit OpenSet(int seed) {
    for (int64_t person = 0; person < kPeople; ++person)
      labels.insert(labels.end(), static_cast<size_t>(2 + person % 3), person);
    vectors = brute::faces(labels, 10, 0.9, seed);
    for (int64_t row = 0; row < vectors.rows; ++row) {
      const int64_t person = labels[static_cast<size_t>(row)];
      const bool first = row == 0 || labels[static_cast<size_t>(row - 1)] != person;
      (person < kKnown && first ? lists.gallery : lists.probes).push_back({row, person});
    }
  }

  struct Probe {
    bool mated = false;
    double own = -9, other = -9;
  };
  std::vector<Probe> probes(int64_t without = -1) const {
    std::vector<Probe> found;
    for (const OpenSetEntry& entry : lists.probes) {
      if (entry.identity == without) continue;
      Probe& probe = found.emplace_back(Probe{entry.identity < kKnown});
      for (const OpenSetEntry& of_gallery : lists.gallery) {
        if (of_gallery.identity == without) continue;
        double& best = of_gallery.identity == entry.identity ? probe.own : probe.other;
        best = std::max(best, brute::dot(vectors, entry.row, of_gallery.row));
      }
    }
    return found;
  }
  std::vector<double> strangers() const {
    std::vector<double> scores;
    for (const Probe& probe : probes()) {
      if (!probe.mated) scores.push_back(probe.other);
    }
    std::ranges::sort(scores, std::greater());
    return scores;
  }
};

struct Shares {
  double dir, far;
};
Shares shares(const std::vector<OpenSet::Probe>& probes, double threshold) {
  double mated = 0, hits = 0, strangers = 0, alarms = 0;
  for (const OpenSet::Probe& p : probes) {
    mated += p.mated;
    hits += p.mated && p.own > p.other && p.own >= threshold;
    strangers += !p.mated;
    alarms += !p.mated && p.other >= threshold;
  }
  return {hits / mated, alarms / strangers};
}

struct Spread {
  Variance dir, far;
};
Spread spread(const std::vector<std::vector<OpenSet::Probe>>& without_each, double threshold) {
  std::vector<double> dir, of_known, of_strangers;
  for (size_t person = 0; person < without_each.size(); ++person) {
    const Shares left = shares(without_each[person], threshold);
    const bool known = person < OpenSet::kKnown;
    if (known) dir.push_back(left.dir);
    (known ? of_known : of_strangers).push_back(left.far);
  }
  return {of_deletions(dir), sum_of(of_deletions(of_known), of_deletions(of_strangers))};
}

}  // namespace

TEST_CASE("the open set at calibrated thresholds has the intervals of deleting each person") {
  const OpenSet data(GENERATE(1, 2));
  const std::vector<OpenSet::Probe> all = data.probes();
  const std::vector<double> strangers = data.strangers();
  const auto n = static_cast<double>(strangers.size());
  std::vector<std::vector<OpenSet::Probe>> without_each;
  for (int64_t person = 0; person < OpenSet::kPeople; ++person) without_each.push_back(data.probes(person));

  // The threshold is a stranger's own score: who reaches it is let in.
  const CalibratedGallery gallery{OpenSet::kKnown,
                                  {{400, 0, strangers[69], 0},
                                   {100, 0, strangers[17], 0},
                                   {30, 0, strangers[5], 0},
                                   {1, 0, strangers[0] + .001, 0}}};
  Calibration calibration;
  calibration.galleries = {gallery};
  const ProtocolResult result = run_open_set("open", data.vectors, data.lists, {.1}, 2, &calibration);

  const double fifty = (strangers[49] + strangers[50]) / 2, far_50 = 50 / n;
  const double effect = spread(without_each, fifty).far.value / (far_50 * (1 - far_50) / n);
  for (const CalibratedThreshold& wanted : gallery.thresholds) {
    const double threshold = *wanted.threshold;
    const Shares found = shares(all, threshold);
    const Spread variance = spread(without_each, threshold);
    const std::string dir = name_with_rate("dir_calibrated_for", wanted.rate / 1000),
                      far = name_with_rate("far_calibrated_for", wanted.rate / 1000);
    CHECK(result.value_of(dir) == found.dir);
    CHECK(result.value_of(far) == found.far);
    check(uncertainty_of(result, dir),
          expected_interval(found.dir, variance.dir, static_cast<double>(all.size()) - n));
    const Uncertainty& of_far = uncertainty_of(result, far);
    const auto events = std::lround(found.far * n);
    if (events < 10) {
      check_few(of_far, events, std::ssize(strangers), effect);
    } else {
      check(of_far, expected_interval(found.far, variance.far, n));
      CHECK(of_far.impostor_events == events);
      CHECK(of_far.resolution == (events < 30 ? Resolution::kWeak : Resolution::kResolved));
      CHECK(of_far.influences.size() == 2);
    }
  }
  CHECK(result.value_of("far_calibrated_for_0.4") == 70 / n);
  CHECK(result.value_of("far_calibrated_for_0.001") == 0);
}

}  // namespace uir
