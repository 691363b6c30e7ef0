// Another way to the same intervals: the double-or-nothing bootstrap over people, which shares nothing with
// them but the people.
#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <vector>

#include "support/catch.h"
#include "uir/base/random.h"
#include "uir/eval/pair_uncertainty.h"
#include "uir/eval/simulated_faces.h"
#include "uir/report/intervals.h"

using namespace uir;

namespace {

constexpr double kFar = 1e-2, kThreshold = .5479;  // where the population's FAR is 1e-2
enum Number : size_t { kFarAt, kFrrAt, kTarAtFar, kAuc, kNumbers };
using Numbers = std::array<double, kNumbers>;

double logit(double rate) { return std::log(rate / (1 - rate)); }

// A person's pairs weigh nothing or twice: a genuine pair w_i, an impostor pair w_i w_j. Everything is
// measured anew, the threshold too, in whole numbers.
class Bootstrap {
 public:
  explicit Bootstrap(ScoredPairs pairs) : pairs_(std::move(pairs)) {
    // Highest first; of equal scores impostors first, so that those at a genuine score count as accepted.
    std::ranges::sort(pairs_.pairs, [](const ScoredPair& x, const ScoredPair& y) {
      return x.score != y.score ? x.score > y.score : (x.a != x.b) > (y.a != y.b);
    });
  }
  int64_t people() const { return pairs_.people; }

  Numbers measure(const std::vector<int64_t>& weights) const {
    const auto weight = [&](const ScoredPair& pair) {
      const int64_t own = weights[static_cast<size_t>(pair.a)];
      return pair.a == pair.b ? own : own * weights[static_cast<size_t>(pair.b)];
    };
    int64_t genuine = 0, impostors = 0;
    for (const ScoredPair& pair : pairs_.pairs) (pair.a == pair.b ? genuine : impostors) += weight(pair);
    const auto n = static_cast<double>(genuine), all = static_cast<double>(impostors);
    int64_t right = 0, wrong = 0, right_at = 0, wrong_at = 0, right_at_far = 0, wins = 0;
    for (const ScoredPair& pair : pairs_.pairs) {
      const int64_t w = weight(pair);
      if (pair.a == pair.b) {
        right += w;
        wins += w * (impostors - wrong);
        if (static_cast<double>(wrong) <= kFar * all) right_at_far = right;
      } else {
        wrong += w;
      }
      if (pair.score >= kThreshold) right_at = right, wrong_at = wrong;
    }
    return {static_cast<double>(wrong_at) / all, 1 - static_cast<double>(right_at) / n,
            static_cast<double>(right_at_far) / n, static_cast<double>(wins) / (n * all)};
  }

 private:
  ScoredPairs pairs_;
};

// Standard errors on the logistic scale, from the percentiles 2.5 and 97.5.
Numbers bootstrap_errors(const Bootstrap& bootstrap, uint64_t seed, size_t repetitions) {
  std::array<std::vector<double>, kNumbers> found;
  for (size_t b = 0; b < repetitions; ++b) {
    ItemRandom random(seed, RandomPurpose::kTest, 1, b);
    std::vector<int64_t> weights;
    for (int64_t i = 0; i < bootstrap.people(); ++i) weights.push_back(random.chance(0.5) ? 2 : 0);
    const Numbers numbers = bootstrap.measure(weights);
    for (size_t k = 0; k < kNumbers; ++k) found[k].push_back(logit(numbers[k]));
  }
  constexpr double kNormal = 1.959964;
  Numbers errors{};
  for (size_t k = 0; k < kNumbers; ++k) {
    std::ranges::sort(found[k]);
    const auto at = [&](double share) {
      return found[k][static_cast<size_t>(share * static_cast<double>(repetitions))];
    };
    errors[k] = (at(.975) - at(.025)) / (2 * kNormal);
  }
  return errors;
}

// The interval's width is 2 t(df) standard errors.
double error_of(const Uncertainty& uncertainty) {
  const double df = variance_of(uncertainty.influences.at(0)).value().df;
  return (logit(uncertainty.high) - logit(uncertainty.low)) / (2 * t_quantile(df));
}

Numbers engine_errors(const ScoredPairs& pairs) {
  const Roc roc = roc_of(pairs);
  const double fars[] = {kFar}, thresholds[] = {kThreshold};
  const PairUncertainty uncertainty(roc, fars, thresholds);
  const PeopleTally tally = tally_of(uncertainty, pairs);
  return {error_of(uncertainty.far_at(tally, 0)), error_of(uncertainty.tar_at(tally, 0)),
          error_of(uncertainty.tar_at_far(tally, 0)), error_of(uncertainty.auc(tally))};
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

}  // namespace

// What both should differ by. Let a number's true variance be S from people and P from single pairs (the
// "dyadic" one is S + P). Deleting people counts P twice, double or nothing three times: the variances' ratio
// is (S + 3P)/(S + 2P), 1 where nothing comes from single pairs of two people (FRR, TAR at a threshold), at
// most 1.5. For FAR 1e-2 of this population bootstrap and dyadic are known to be as 1.6 to 1: P/(S + P) = .3,
// the ratio is 1.6/1.3, and that of standard errors 1.11. A variance that is wrong by a factor of 2 moves
// every ratio by 1.41, out of the bounds on either side.
TEST_CASE("intervals agree with a bootstrap over people, double or nothing") {
  constexpr uint64_t kSeeds = 7;
  constexpr size_t kRepetitions = 600;
  std::array<std::vector<double>, kNumbers> ratios;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    ItemRandom random(seed, RandomPurpose::kTest, 0, 0);
    const ScoredPairs pairs = all_pairs_of(simulate_faces(random, 100)[0]);
    const Numbers engine = engine_errors(pairs);
    const Numbers bootstrap = bootstrap_errors(Bootstrap(pairs), seed, kRepetitions);
    for (size_t k = 0; k < kNumbers; ++k) ratios[k].push_back(bootstrap[k] / engine[k]);
  }
  for (size_t k = 0; k < kNumbers; ++k) {
    const double ratio = median(ratios[k]);
    CAPTURE(k, ratio);
    CHECK(ratio > 0.9);
    CHECK(ratio < 1.25);
  }
}

TEST_CASE("a weight of one for everybody is the number itself") {
  ItemRandom random(1, RandomPurpose::kTest, 0, 0);
  const ScoredPairs pairs = all_pairs_of(simulate_faces(random, 100)[0]);
  const Numbers numbers = Bootstrap(pairs).measure(std::vector<int64_t>(100, 1));
  const Roc roc = roc_of(pairs);
  CHECK(numbers[kTarAtFar] == roc.at_most(kFar).tar);
  CHECK(numbers[kAuc] == Approx(roc.auc()).epsilon(1e-12));
}
