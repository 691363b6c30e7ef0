#include "uir/eval/tail_uncertainty.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "support/catch.h"
#include "uir/base/random.h"
#include "uir/eval/pair_uncertainty.h"
#include "uir/report/intervals.h"

namespace uir {
namespace {

struct Pair {
  int64_t person, other;  // the same: genuine; from kDistractors on: a distractor
  double score;
};
constexpr int64_t kPeople = 60, kDistractors = 150;

// People of 1 to 5 images, some easier than others; distractors of whom some look like anybody.
std::vector<Pair> drawn_pairs(bool within_gallery) {
  ItemRandom random(17, RandomPurpose::kTest, 0, 0);
  std::vector<int64_t> owner;
  std::vector<double> ease;
  for (int64_t p = 0; p < kPeople + kDistractors; ++p) {
    owner.insert(owner.end(), static_cast<size_t>(p < kPeople ? 1 + p % 5 : 1), p);
    ease.push_back(0.5 * random.normal());
  }
  std::vector<Pair> pairs;
  for (size_t i = 0; i < owner.size() && owner[i] < kPeople; ++i) {
    for (size_t j = i + 1; j < owner.size(); ++j) {
      const int64_t a = owner[i], b = owner[j];
      if (a != b && b < kPeople && !within_gallery) continue;
      pairs.push_back({a, b,
                       (a == b ? 2.5 : 0) + ease[static_cast<size_t>(a)] + ease[static_cast<size_t>(b)] +
                           random.normal()});
    }
  }
  return pairs;
}

std::vector<Pair> without(const std::vector<Pair>& pairs, int64_t unit) {
  std::vector<Pair> rest;
  std::ranges::copy_if(pairs, std::back_inserter(rest),
                       [&](const Pair& p) { return p.person != unit && p.other != unit; });
  return rest;
}

std::vector<double> impostors_of(const std::vector<Pair>& pairs) {
  std::vector<double> scores;
  for (const Pair& p : pairs)
    if (p.person != p.other) scores.push_back(p.score);
  std::ranges::sort(scores, std::greater<>());
  return scores;
}
// Above the score behind the k best impostors.
double limit_at(const std::vector<Pair>& pairs, double far) {
  const std::vector<double> scores = impostors_of(pairs);
  return scores[static_cast<size_t>(allowed_at_most(std::ssize(scores), far))];
}
double share_above(const std::vector<Pair>& pairs, bool genuine, double limit) {
  double all = 0, above = 0;
  for (const Pair& p : pairs) {
    if ((p.person == p.other) != genuine) continue;
    ++all;
    above += p.score > limit;
  }
  return above / all;
}

// A number of all pairs without each person and without each distractor.
std::vector<std::vector<double>> deletions(const std::vector<Pair>& pairs,
                                           const std::function<double(const std::vector<Pair>&)>& number) {
  std::vector<std::vector<double>> values(2);
  for (int64_t unit = 0; unit < kPeople + kDistractors; ++unit)
    values[unit < kPeople ? 0 : 1].push_back(number(without(pairs, unit)));
  return values;
}
Variance variance(const std::vector<std::vector<double>>& groups) {
  return sum_of(variance_of(groups[0]).value(), variance_of(groups[1]).value());
}

Uncertainty uncertainty_of(const std::vector<Pair>& pairs, double far, double slope) {
  const double limit = limit_at(pairs, far);
  TailRate rate;
  rate.slope = slope;
  std::vector<TailPairs> people(kPeople);
  std::vector<int64_t> accepted(kDistractors);
  int64_t images = 0;
  for (int64_t p = 0; p < kPeople; ++p) images += 1 + p % 5;
  for (const Pair& pair : pairs) {
    const bool above = pair.score > limit;
    TailPairs& person = people[static_cast<size_t>(pair.person)];
    if (pair.person == pair.other) {
      ++rate.genuine, ++person.genuine;
      rate.found += above, person.found += above;
      continue;
    }
    ++rate.impostors, ++person.impostors;
    rate.allowed += above, person.accepted += above;
    if (pair.other >= kPeople) {
      accepted[static_cast<size_t>(pair.other - kPeople)] += above;
    } else {
      ++people[static_cast<size_t>(pair.other)].impostors;
      people[static_cast<size_t>(pair.other)].accepted += above;
    }
  }
  return tail_uncertainty(rate, people, {images, accepted});
}

}  // namespace

TEST_CASE("people and distractors deleted one by one: exact at a threshold, near with one found anew") {
  constexpr double kFar = .02;
  for (const bool within_gallery : {false, true}) {
    INFO("pairs of two people of the gallery: " << within_gallery);
    const std::vector<Pair> pairs = drawn_pairs(within_gallery);
    const double limit = limit_at(pairs, kFar), tar = share_above(pairs, true, limit);
    const auto impostors = static_cast<double>(impostors_of(pairs).size());

    // At the threshold itself: TAR, whose impostors count for nothing, and FAR, behind the effective events.
    const Uncertainty fixed = uncertainty_of(pairs, kFar, 0);
    const auto tars = deletions(pairs, [&](const auto& some) { return share_above(some, true, limit); });
    const Interval interval = interval_of_rate(tar, variance(tars));
    CHECK(fixed.low == Approx(interval.low).epsilon(1e-9));
    CHECK(fixed.high == Approx(interval.high).epsilon(1e-9));
    const auto fars = deletions(pairs, [&](const auto& some) { return share_above(some, false, limit); });
    const double far = share_above(pairs, false, limit), events = static_cast<double>(fixed.impostor_events);
    CHECK(events == Approx(far * impostors));
    CHECK(fixed.effective_events ==
          Approx(events / (variance(fars).value / (far * (1 - far) / impostors))).epsilon(1e-9));
    CHECK(fixed.effective_events < events);
    CHECK(fixed.influences.size() == 2);
    CHECK(fixed.influences[0].size() == kPeople);
    CHECK(fixed.influences[1].size() == kDistractors);
    CHECK_THAT(fixed.note, contains_text("at least this wide"));

    const auto tar_at = [&](double rate) { return share_above(pairs, true, limit_at(pairs, rate)); };
    const double slope =
        slope_of(tar_at(2 * kFar), tar_at(kFar / 2), static_cast<int64_t>(2 * kFar * impostors),
                 static_cast<int64_t>(kFar / 2 * impostors));
    const Uncertainty anew = uncertainty_of(pairs, kFar, slope);
    const auto all_anew =
        deletions(pairs, [&](const auto& some) { return share_above(some, true, limit_at(some, kFar)); });
    const Interval near = interval_of_rate(tar, variance(all_anew));
    CHECK(anew.high - anew.low == Approx(near.high - near.low).epsilon(.15));
    // Who is alike to everybody raises the threshold, too: less than the threshold taken as known.
    CHECK(anew.high - anew.low < .9 * (fixed.high - fixed.low));
  }
}

TEST_CASE("of people and distractors, too, what cannot be said is not said") {
  const std::vector<TailPairs> people(20, TailPairs{3, 2, 100, 2});
  const std::vector<int64_t> accepted(100, 0);
  const TailRate rate{60, 40, 2000, 40, .1};
  CHECK(tail_uncertainty(rate, people, {20, accepted}).resolution == Resolution::kResolved);
  CHECK(tail_uncertainty(rate, people, {}).influences.size() == 1);
  CHECK(tail_uncertainty(rate, people, {}).note.empty());
  const auto note = [&](const TailRate& r, std::span<const TailPairs> p, int64_t distractors) {
    const Uncertainty uncertainty =
        tail_uncertainty(r, p, {20, std::span(accepted).first(static_cast<size_t>(distractors))});
    CHECK(!uncertainty.has_interval());
    CHECK(uncertainty.resolution == Resolution::kNotResolved);
    return uncertainty.note;
  };
  CHECK(note({6, 4, 200, 40, .1}, std::span(people).first(2), 100) == "fewer than three people have pairs");
  CHECK(note(rate, people, 2) == "fewer than three distractors");
  CHECK(note({3, 2, 2000, 40, .1}, people, 100) == "one person owns all genuine pairs");
  CHECK(note({60, 40, 100, 40, .1}, people, 100) == "one person stands in every impostor pair");
  CHECK(note({60, 40, 2000, 9, .1}, people, 100) ==
        "not resolved: 9 impostor pairs may be accepted at this rate");
  CHECK(tail_uncertainty({60, 40, 2000, 10, .1}, people, {20, accepted}).resolution == Resolution::kWeak);
  const std::vector<TailPairs> found(20, TailPairs{3, 3, 100, 2});
  CHECK(tail_uncertainty({60, 60, 2000, 40, .1}, found, {20, accepted}).low == Approx(1 - 3.0 / 20));
}

}  // namespace uir
