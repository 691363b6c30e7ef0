#include <limits>

#include "support/brute_force.h"
#include "support/catch.h"
#include "uir/eval/roc.h"
#include "uir/eval/sort.h"

namespace uir {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Roc make_roc(const brute::Scores& s) {
  Roc roc(s.genuine);
  roc.add_impostors(s.impostor);
  return roc;
}

// Few distinct values, so that every kind of tie occurs; levels 0: no ties.
brute::Scores random_scores(uint64_t seed, size_t genuine, size_t impostor, int levels) {
  ItemRandom random(seed, RandomPurpose::kTest, 0, 0);
  const auto draw = [&](double mean) {
    const double x = mean + random.normal();
    return levels == 0 ? x : std::round(x * levels) / levels;
  };
  brute::Scores s;
  while (s.genuine.size() < genuine) s.genuine.push_back(draw(1));
  while (s.impostor.size() < impostor) s.impostor.push_back(draw(0));
  return s;
}

}  // namespace

TEST_CASE("a curve by hand") {
  // Descending: G4 | I3 G3 | I2 | G1 I1 | I0. Points: (0,1/3) (1/4,2/3) (2/4,2/3) (3/4,1) (1,1).
  const Roc roc = make_roc({{4, 3, 1}, {3, 2, 1, 0}});
  CHECK(roc.num_genuine() == 3);
  CHECK(roc.num_impostor() == 4);
  CHECK(roc.auc() == (4 + 3.5 + 1.5) / 12);
  // From (1/4, 2/3) to (1/2, 2/3): FAR = 1 − TAR at 1/3.
  CHECK(roc.eer() == Approx(1.0 / 3));
  CHECK(roc.at_most(0) == RocPoint{0, 1.0 / 3, 4});
  CHECK(roc.at_most(0.2499) == RocPoint{0, 1.0 / 3, 4});
  CHECK(roc.at_most(0.25) == RocPoint{0.25, 2.0 / 3, 3});
  CHECK(roc.at_most(0.5) == RocPoint{0.25, 2.0 / 3, 3});
  CHECK(roc.at_most(0.75) == RocPoint{0.75, 1, 1});
  CHECK(roc.at_most(1) == RocPoint{0.75, 1, 1});
}

TEST_CASE("an impostor on top leaves nothing to accept") {
  const Roc roc = make_roc({{1, 1}, {2, 0}});
  CHECK(roc.at_most(0.4) == RocPoint{0, 0, kInfinity});
  CHECK(roc.at_most(0.5).tar == 1);
  CHECK(roc.auc() == 0.5);
}

TEST_CASE("perfect, reversed and constant scores") {
  CHECK(make_roc({{2, 3}, {0, 1}}).auc() == 1);
  CHECK(make_roc({{2, 3}, {0, 1}}).eer() == 0);
  CHECK(make_roc({{0, 1}, {2, 3}}).auc() == 0);
  CHECK(make_roc({{0, 1}, {2, 3}}).eer() == 1);
  const Roc constant = make_roc({{5, 5, 5}, {5, 5}});
  CHECK(constant.auc() == 0.5);
  CHECK(constant.eer() == Approx(0.5));
  CHECK(constant.at_most(0.99).tar == 0);
  CHECK(constant.at_most(1).tar == 1);
}

TEST_CASE("one kind of pair only defines nothing") {
  for (const brute::Scores& s : {brute::Scores{{1, 2}, {}}, brute::Scores{{}, {1, 2}}, brute::Scores{}}) {
    const Roc roc = make_roc(s);
    CHECK_FALSE(roc.defined());
    CHECK(roc.num_genuine() + roc.num_impostor() ==
          static_cast<int64_t>(s.genuine.size() + s.impostor.size()));
    CHECK(brute::error_of(ErrorKind::kInternal, [&] { roc.auc(); }) != "no error");
  }
}

TEST_CASE("AUC, EER and TAR@FAR agree with brute force over all thresholds") {
  const int levels = GENERATE(0, 1, 3, 20);
  const auto [genuine, impostor] =
      GENERATE(table<size_t, size_t>({{1, 1}, {2, 5}, {7, 1}, {60, 150}, {150, 60}}));
  for (uint64_t seed = 0; seed < 10; ++seed) {
    const brute::Scores s = random_scores(seed, genuine, impostor, levels);
    const Roc roc = make_roc(s);
    CHECK(roc.auc() == Approx(brute::auc(s)).epsilon(1e-13));
    CHECK(roc.eer() == Approx(brute::eer(s)).epsilon(1e-12).margin(1e-12));
    for (double far : {0.0, 1e-3, 0.01, 1.0 / 150, 0.02, 1.0 / 60, 0.1, 0.3, 0.999, 1.0}) {
      const RocPoint p = roc.at_most(far);
      CHECK(p.tar == brute::tar_at_most(s, far));
      CHECK(p.far <= far);
      if (p.tar > 0) CHECK(p.far == brute::share_at_least(s.impostor, p.threshold));
      if (p.tar > 0) CHECK(p.tar == brute::share_at_least(s.genuine, p.threshold));
    }
  }
}

TEST_CASE("the impostor scores beside a threshold") {
  // Descending: G4 | I3 G3 | I2 | G1 I1 | I0.
  const Roc roc = make_roc({{4, 3, 1}, {3, 2, 1, 0}});
  CHECK(roc.impostors_beside(4) == Roc::Sides{3, kInfinity});
  CHECK(roc.impostors_beside(3) == Roc::Sides{2, 3});
  CHECK(roc.impostors_beside(1) == Roc::Sides{0, 1});
  CHECK(roc.impostors_beside(kInfinity) == Roc::Sides{3, kInfinity});
  CHECK(make_roc({{1}, {2, 3}}).impostors_beside(1) == Roc::Sides{-kInfinity, 2});
  const int levels = GENERATE(0, 3, 20);
  const brute::Scores s = random_scores(9, 50, 400, levels);
  Roc pieces(s.genuine);
  for (size_t part = 0; part < 3; ++part) {
    Roc::Counter counter = pieces.counter();
    for (size_t i = part; i < s.impostor.size(); i += 3) pieces.count(s.impostor[i], counter);
    pieces.merge(counter);
  }
  for (double far : {0.0, 0.01, 0.1, 0.5, 0.9, 1.0}) {
    const double threshold = pieces.at_most(far).threshold;
    Roc::Sides expected{-kInfinity, kInfinity};
    for (const double score : s.impostor) {
      if (score < threshold) expected.below = std::max(expected.below, score);
      if (score >= threshold) expected.accepted = std::min(expected.accepted, score);
    }
    CHECK(pieces.impostors_beside(threshold) == expected);
  }
}

TEST_CASE("streaming in pieces, in any order, gives the same curve") {
  const brute::Scores s = random_scores(3, 100, 1000, 20);
  const Roc whole = make_roc(s);
  Roc pieces(s.genuine);
  for (size_t part = 5; part-- > 0;) {
    Roc::Counter counter = pieces.counter();
    for (size_t i = part; i < s.impostor.size(); i += 5) pieces.count(s.impostor[i], counter);
    pieces.merge(counter);
  }
  CHECK(pieces.auc() == whole.auc());
  CHECK(pieces.eer() == whole.eer());
  CHECK(pieces.curve(50, {}) == whole.curve(50, {}));
}

TEST_CASE("a curve of few points is monotone, holds true points, and the printed rates exactly") {
  const brute::Scores s = random_scores(4, 3000, 20000, 0);
  const Roc roc = make_roc(s);
  const std::vector<double> fars{1e-3, 1e-2};
  const std::vector<RocPoint> curve = roc.curve(100, fars);
  CHECK(curve.size() > 50);
  CHECK(curve.size() <= 105);
  CHECK(curve.front() == RocPoint{0, 0, kInfinity});
  CHECK(curve.back() == RocPoint{1, 1, -kInfinity});
  for (size_t i = 1; i < curve.size(); ++i)
    CHECK((curve[i].far >= curve[i - 1].far && curve[i].tar >= curve[i - 1].tar));
  for (const RocPoint& p : curve) CHECK(p.far == brute::share_at_least(s.impostor, p.threshold));
  for (double far : fars) CHECK(std::count(curve.begin(), curve.end(), roc.at_most(far)) == 1);
}

TEST_CASE("points kept and rule `nearest`, by hand") {
  // Descending: I | G | I | I | G G | I. Cumulative (impostors, genuine): (1,0) (1,1) (2,1) (3,1) (3,3)
  // (4,3); the steps to and from (2,1) are equal, so it is dropped.
  const std::vector<double> genuine{8, 5, 5}, impostor{9, 7, 6, 4};
  const std::vector<RocPoint> kept = kept_points(genuine, impostor);
  CHECK(
      kept ==
      std::vector<RocPoint>{
          {0, 0, kInfinity}, {0.25, 0, 9}, {0.25, 1.0 / 3, 8}, {0.75, 1.0 / 3, 6}, {0.75, 1, 5}, {1, 1, 4}});
  CHECK(nearest(kept, 0.1).threshold == kInfinity);
  CHECK(nearest(kept, 0.125).threshold == 8);  // as near as (0, 0): the larger FAR, then the larger TAR
  CHECK(nearest(kept, 0.49).threshold == 8);
  CHECK(nearest(kept, 0.5).threshold == 5);
  CHECK(nearest(kept, 1).threshold == 4);
  // A first and a last point are always kept, also where there is one distinct score.
  CHECK(kept_points(std::vector<double>{2}, std::vector<double>{2}) ==
        std::vector<RocPoint>{{0, 0, kInfinity}, {1, 1, 2}});
  CHECK(kept_points(std::vector<double>{1}, std::vector<double>{3, 2}).size() == 4);
}

TEST_CASE("long lists are sorted as short ones, for any number of threads") {
  for (const int levels : {0, 3, 1000}) {
    std::vector<double> values = random_scores(7, 0, 200000, levels).impostor;
    std::vector<double> expected = values;
    std::sort(expected.begin(), expected.end(), std::greater<>());
    for (int threads : {1, 3}) {
      std::vector<double> sorted = values;
      sort_descending(sorted, threads);
      CHECK(sorted == expected);
    }
  }
  // Values so near each other, or so unevenly spread, that slices of their range do not tell them apart.
  std::vector<double> near, uneven;
  for (int i = 0; i < 70000; ++i) {
    near.push_back(i % 3 * std::numeric_limits<double>::denorm_min());
    uneven.push_back(std::ldexp(1.0, -(i % 1000)));
  }
  for (std::vector<double>* values : {&near, &uneven}) {
    std::vector<double> expected = *values;
    std::sort(expected.begin(), expected.end(), std::greater<>());
    sort_descending(*values, 2);
    CHECK(*values == expected);
  }
  std::vector<double> equal(100000, 0.25), none;
  sort_descending(equal, 2);
  sort_descending(none, 2);
  CHECK(equal == std::vector<double>(100000, 0.25));
}

}  // namespace uir
