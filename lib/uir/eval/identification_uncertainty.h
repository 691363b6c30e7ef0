// How sure are rank-1 and detection and identification rates (DIR)? Intervals over people
// (report/intervals.h).
//
// θ(−i), the rate without person i at the same threshold t: i's probes are gone, and so are i's gallery
// images, so probes of others become hits whose best other score was i's, whose best of another person is
// below their own, and whose own is above t. A hit is a mated probe whose best own score is above t and above
// all others.
//   rank 1   φ_i = θ − θ(−i)
//   DIR@x    φ_i = [θ − θ(−i)] − b·[FA − FA(−i)],  b = ΔDIR/ΔFA between FAR 2x and x/2
//   at a fixed threshold  φ_i = θ − θ(−i) of DIR; FA − FA(−i) of FA
// FA is the share of non-mated probes above t: the threshold is estimated from them, too. People of the
// gallery and strangers are independent groups, whose variances add up. The variance of a rate is at least
// that of independent probes.
// Not resolved: fewer than ten non-mated probes may be accepted. At a fixed threshold fewer than ten have
// Clopper and Pearson's bounds of as many as they are worth, the design effect being that of the threshold
// which fifty exceed, or half of them where there are fewer than a hundred.
// Cost: O(probes + people). Threads: plain functions.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "uir/report/intervals.h"
#include "uir/report/uncertainty.h"

namespace uir {

// A probe's best scores with people other than its own; −infinity: none.
struct OtherScores {
  static constexpr double kNone = -std::numeric_limits<double>::infinity();
  double other = kNone;       // the best
  int64_t other_person = -1;  // whose that is
  double second = kNone;      // the best of anyone else

  void add_other(int64_t person, double score) {
    if (score > other) {
      if (person != other_person) second = other;
      other = score;
      other_person = person;
    } else if (person != other_person && score > second) {
      second = score;
    }
  }
  // What others of the probe's scores came to; again some of those that are known changes nothing.
  void add(const OtherScores& more) {
    add_other(more.other_person, more.other);
    if (more.other_person == other_person) second = std::max(second, more.second);
  }
};

struct IdentifiedProbe : OtherScores {
  int64_t person = 0;  // of the probe: people of the gallery and strangers in one numbering from 0
  bool mated = false;
  double own = kNone;  // best with its own person
};

class IdentificationUncertainty {
 public:
  // people: more than any number in the probes, which outlive this. lone: the last so many of them are
  // strangers with one probe each, which may lack here where no threshold accepts it.
  IdentificationUncertainty(std::span<const IdentifiedProbe> probes, int64_t people, int64_t lone = 0);

  Uncertainty rank1() const;
  // Of DIR and of the share of strangers at a threshold from elsewhere; a score must be greater.
  Uncertainty dir_at(double threshold) const;
  Uncertainty false_alarms_at(double threshold) const;
  // Of the protocol, by FAR; a score must be greater.
  using ThresholdAt = std::function<double(double far)>;
  Uncertainty dir(double far, const ThresholdAt& threshold_at) const;
  // Of every person, 0 for those whom nothing of it concerns. For means over galleries.
  std::vector<double> dir_influences(double far, const ThresholdAt& threshold_at) const;

 private:
  // By how much a rate falls without each of the people.
  struct Falls {
    double rate = 0;
    std::vector<double> of;
  };
  Falls hits(double threshold) const;
  Falls false_alarms(double threshold) const;
  struct Groups {
    std::vector<double> known, strangers;
    std::optional<Variance> variance() const;
  };
  Groups groups_of(const std::vector<double>& influences) const;
  double design_effect() const;

  std::span<const IdentifiedProbe> probes_;
  std::vector<int64_t> mated_, non_mated_;  // probes of each person
  int64_t num_mated_ = 0, num_non_mated_ = 0;
};

}  // namespace uir
