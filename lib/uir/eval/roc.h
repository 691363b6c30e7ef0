// Receiver operating characteristic of genuine and impostor scores, exact, with ties, in memory that does not
// grow with the number of impostors.
//
// A pair is accepted at threshold t when its score >= t. All figures follow from, for every distinct genuine
// score g, the number of genuine scores >= g and of impostor scores > g and == g: a threshold between two
// genuine scores only adds false accepts. So impostor scores stream through and are not kept.
//   AUC       P(genuine > impostor) + P(equal) / 2
//   TAR@FAR   rule `at_most`: the largest share of genuine scores accepted at a threshold whose share of
//             impostors accepted is <= the target
//   EER       false-acceptance share where the line through the ROC's points (one per distinct score, (0, 0)
//             in front) meets FAR = 1 − TAR
// Memory: at most 56 bytes per distinct genuine score, and 32 per Counter. Threads: const functions may run
// at once.
//
// Published tables of IJB read the curve by another rule, `nearest`, which needs the whole list of impostor
// scores: see kept_points() below.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace uir {

struct RocPoint {
  double far = 0, tar = 0;
  double threshold = 0;  // +infinity: nothing is accepted
  bool operator==(const RocPoint&) const = default;
};

// The largest k with k / n <= rate, as the rule at_most divides.
int64_t allowed_at_most(int64_t n, double rate);

class Roc {
 public:
  explicit Roc(std::vector<double> genuine);

  // Impostor scores strictly between two distinct genuine scores.
  struct Gap {
    int64_t count = 0;
    double lowest = std::numeric_limits<double>::infinity(),
           highest = -std::numeric_limits<double>::infinity();
    void add(double score);
    void add(const Gap& more);
  };
  // Counts of impostor scores. One thread's; counts merged in any order give the same curve.
  struct Counter {
    std::vector<Gap> between;    // [i]: in (g[i−1], g[i]), g the distinct genuine scores, ascending
    std::vector<int64_t> equal;  // [i]: impostors == g[i]
    void add(const Counter& more);
    // Scores below every genuine one that are not told apart.
    void add_lowest(int64_t count) { between.front().count += count; }
  };
  Counter counter() const;  // zeros
  void count(double impostor, Counter& counter) const;
  void merge(const Counter& counter);
  void add_impostors(std::span<const double> scores);

  int64_t num_genuine() const { return num_genuine_; }
  int64_t num_impostor() const { return num_impostor_; }
  std::span<const double> distinct_genuine() const { return distinct_; }  // ascending
  bool defined() const { return num_genuine_ > 0 && num_impostor_ > 0; }

  // These need defined() (else kInternal). Cost: O(distinct genuine scores).
  double auc() const;
  double eer() const;
  RocPoint at_most(double far) const;
  // The impostor scores on both sides of a threshold: the largest below it, and the smallest that it accepts;
  // −infinity and +infinity where there is none. threshold: at_most()'s. Cost as above.
  struct Sides {
    double below = 0, accepted = 0;
    bool operator==(const Sides&) const = default;
  };
  Sides impostors_beside(double threshold) const;
  // What a rate stands on: so many impostors may be accepted at it, and where that leads. Cost as above.
  struct Cut {
    int64_t allowed = 0;     // the most impostors whose share does not exceed the rate
    double threshold = 0;    // at_most()'s
    int64_t accepted = 0;    // impostors at or above it
    double next = 0;         // the next genuine score below it; −infinity: none
    int64_t above_next = 0;  // impostors above that one
  };
  Cut cut_at(double far) const;
  // Where a score stands among the distinct genuine ones, ascending: equal to number i, or between number
  // i − 1 and i.
  struct Place {
    size_t i = 0;
    bool equal = false;
  };
  Place place_of(double score) const;
  // How often scores win against those of the other kind, twice, so that a tie is 1: a genuine one against
  // lower impostors, by its number; an impostor against higher genuine ones, by its place.
  struct Wins {
    std::vector<int64_t> genuine, between, equal;
  };
  Wins wins() const;
  // About max_points points from (0, 0) to (1, 1), evenly spread over log FAR and over TAR, and the at_most()
  // points of the given rates.
  std::vector<RocPoint> curve(int max_points, std::span<const double> fars) const;

 private:
  // The curve's two points at a distinct genuine score: just above it, and at it.
  struct Step {
    double threshold;
    int64_t false_above, true_above, false_at, true_at;
  };
  // Calls visit(step) from the highest score down, until it returns false.
  template <class Visit>
  void walk(Visit&& visit) const;
  double far_of(int64_t impostors) const;
  double tar_of(int64_t genuine) const;
  size_t bucket(double score) const;

  std::vector<double> distinct_;         // genuine scores, ascending
  std::vector<int64_t> repeats_;         // how often each occurs
  std::vector<size_t> first_in_bucket_;  // equal slices of the scores' range: shortens the search
  double buckets_per_unit_ = 0;
  Counter impostors_;
  int64_t num_genuine_ = 0, num_impostor_ = 0;
};

// The points that scikit-learn's roc_curve (drop_intermediate, its default) keeps of a full list of scores:
// (0, 0), then one point per distinct score from the highest down, less those where the second differences of
// both cumulative counts are zero (the steps to and from the point are equal). Ascending in FAR and TAR. Both
// lists sorted, highest first (sort_descending), and not empty (else kInternal). Cost: one pass.
std::vector<RocPoint> kept_points(std::span<const double> genuine, std::span<const double> impostor);
// Rule `nearest`: of these points the one whose FAR is nearest to the target; of equally near ones the larger
// FAR, then the larger TAR.
RocPoint nearest(std::span<const RocPoint> kept, double far);

}  // namespace uir
