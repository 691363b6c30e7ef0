#include "uir/eval/identification_uncertainty.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "support/catch.h"
#include "uir/base/random.h"
#include "uir/eval/share_uncertainty.h"
#include "uir/report/intervals.h"

using namespace uir;

namespace {

// Scores of every probe with one gallery image of each known person, from which a person can be taken away.
struct Search {
  int64_t known = 0, people = 0;
  std::vector<int64_t> person;              // of the probes
  std::vector<std::vector<double>> scores;  // [probe][known person]

  IdentifiedProbe probe(size_t p, int64_t without) const {
    IdentifiedProbe found{{}, person[p], person[p] < known && person[p] != without};
    for (int64_t g = 0; g < known; ++g) {
      const double score = scores[p][static_cast<size_t>(g)];
      if (g == without) continue;
      if (g == person[p]) {
        found.own = score;
      } else if (score > found.other) {
        found.second = found.other;
        found.other = score;
        found.other_person = g;
      } else {
        found.second = std::max(found.second, score);
      }
    }
    return found;
  }
  std::vector<IdentifiedProbe> probes(int64_t without = -1) const {
    std::vector<IdentifiedProbe> all;
    for (size_t p = 0; p < person.size(); ++p) {
      if (person[p] != without) all.push_back(probe(p, without));
    }
    return all;
  }
};

Search drawn_search(uint64_t seed) {
  ItemRandom random(seed, RandomPurpose::kTest, 0, 0);
  Search search{12, 30, {}, {}};
  for (int64_t i = 0; i < search.people; ++i) {
    for (int64_t image = 0; image < 1 + i % 4; ++image) {
      search.person.push_back(i);
      std::vector<double>& row = search.scores.emplace_back();
      for (int64_t g = 0; g < search.known; ++g) row.push_back(random.normal() + (g == i ? 2 : 0));
    }
  }
  return search;
}

struct Rates {
  double rank1, dir, false_alarms;
};
Rates rates_of(const std::vector<IdentifiedProbe>& probes, double threshold) {
  double mated = 0, first = 0, hits = 0, non_mated = 0, alarms = 0;
  for (const IdentifiedProbe& p : probes) {
    mated += p.mated;
    first += p.mated && p.own > p.other;
    hits += p.mated && p.own > p.other && p.own > threshold;
    non_mated += !p.mated;
    alarms += !p.mated && p.other > threshold;
  }
  return {first / mated, hits / mated, alarms / non_mated};
}

}  // namespace

TEST_CASE("identification without each person, one by one: the same influences as searching anew") {
  const Search search = drawn_search(GENERATE(1, 2, 3));
  const std::vector<IdentifiedProbe> probes = search.probes();
  const IdentificationUncertainty uncertainty(probes, search.people);
  const double at = 1.0, loose = 0.6, strict = 1.6;
  const auto threshold_at = [&](double far) { return far == .2 ? at : far > .2 ? loose : strict; };
  const std::vector<double> influences = uncertainty.dir_influences(.2, threshold_at);

  const Rates all = rates_of(probes, at), more = rates_of(probes, loose), less = rates_of(probes, strict);
  const double b = (more.dir - less.dir) / (more.false_alarms - less.false_alarms);
  std::vector<double> rank1;
  for (int64_t i = 0; i < search.people; ++i) {
    const Rates left = rates_of(search.probes(i), at);
    CHECK(influences[static_cast<size_t>(i)] ==
          Approx((all.dir - left.dir) - b * (all.false_alarms - left.false_alarms)).margin(1e-12));
    if (i < search.known) rank1.push_back(left.rank1);
  }
  const Interval expected = interval_of_rate(all.rank1, variance_of(rank1).value());
  CHECK(uncertainty.rank1().low <= Approx(expected.low));  // at least that of independent probes
  CHECK(uncertainty.rank1().high >= Approx(expected.high));
  CHECK(uncertainty.rank1().influences.size() == 1);
  CHECK(uncertainty.rank1().influences[0].size() == 12);
}

TEST_CASE("what few strangers cannot tell about DIR") {
  const Search search = drawn_search(5);
  const std::vector<IdentifiedProbe> probes = search.probes();
  const IdentificationUncertainty uncertainty(probes, search.people);
  const auto threshold = [](double) { return 1.0; };
  CHECK(uncertainty.dir(.1, threshold).resolution == Resolution::kNotResolved);  // 4 of 45 strangers' probes
  CHECK(!uncertainty.dir(.1, threshold).has_interval());
  CHECK(uncertainty.dir(.5, threshold).resolution == Resolution::kWeak);
  CHECK(uncertainty.dir(.5, threshold).has_interval());
  CHECK(uncertainty.dir(.5, threshold).influences.size() == 2);  // known people and strangers
  CHECK(uncertainty.dir(.9, threshold).resolution == Resolution::kResolved);
}

TEST_CASE("shares over people") {
  // Person 0 has half of four faces.
  const std::vector<double> values{1, 1, 0, 1};
  const std::vector<int64_t> person{0, 0, 1, 2};
  const std::vector<double> influences = share_influences(values, person, 4);
  REQUIRE(influences.size() == 3);  // the fourth has no face
  CHECK(influences[0] == Approx(0.75 - 0.5));
  CHECK(influences[1] == Approx(0.75 - 1));
  CHECK(influences[2] == Approx(0.75 - 2.0 / 3));
  const Uncertainty share = share_uncertainty(.75, 4, {influences});
  CHECK(share.low < .75);
  CHECK(share.high > .75);
  CHECK(share_influences(values, std::vector<int64_t>{0, 0, 0, 0}, 1).empty());
  CHECK(!share_uncertainty(.75, 4, {{}}).has_interval());
  CHECK(share_uncertainty(1, 4, {influences}).low == 0);
  CHECK(share_uncertainty(1, 300, {std::vector<double>(300, 0.0)}).low == Approx(.99));
  CHECK(resolution_of(9) == Resolution::kNotResolved);
  CHECK(resolution_of(10) == Resolution::kWeak);
  CHECK(resolution_of(30) == Resolution::kResolved);
}
