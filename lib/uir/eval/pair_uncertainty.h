// How sure are AUC, EER and TAR at FAR? Intervals over the people of the pairs (report/intervals.h): by how
// much each number would differ without one of them.
//
// Person i has n_i genuine pairs, of which A_i are accepted and R_i not, and stands in M_i impostor pairs, of
// which C_i are accepted; n, N and K are the sums over all pairs. The influence is
//   φ_i = (g_i/n)/(1 − n_i/n) + (h_i/N)/(1 − M_i/N)
//   FAR, FRR at a threshold   h = C_i − FAR·M_i;  g = R_i − FRR·n_i
//   TAR at FAR x              g = A_i − TAR·n_i,  h = −b (C_i − p·M_i)/p,  p = K/N,
//                             b = [TAR(2x) − TAR(x/2)] / ln(K(2x)/K(x/2)): the threshold is estimated, too
//   its mean over persons     (A_i/n_i − mean)/persons in place of g/n, and the b of that mean
//   AUC                       g = won by genuine pairs − AUC·n_i,  h = lost to impostor pairs − AUC·M_i
//   EER                       g = (1 − a)(R_i − FRR·n_i),  h = a (C_i − FAR·M_i),
//                             a = ΔFRR/(ΔFRR + ΔFAR) between FAR 2·EER and EER/2
// The variance of a rate is at least that of independent pairs. K(x) impostors may be accepted at x; where
// some of those lie between two genuine scores, those in this gap count in proportion. No interval, and a
// note why: fewer than three people, one who owns all genuine pairs or stands in every impostor pair, or
// fewer than ten impostors behind a rate. Of a rate without mistakes there is a bound of one side, which its
// note says. Fewer than ten false accepts at a fixed threshold: Clopper and Pearson's bounds of as many as
// they are worth, the design effect being that of the threshold which fifty reach.
// Cost: one pass over the pairs, O(people) after it. The same bits with any number of threads.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "uir/eval/people_tally.h"
#include "uir/eval/roc.h"
#include "uir/report/report.h"

namespace uir {

// How fast a rate grows with the logarithm of the impostors that are accepted: b above.
double slope_of(double twice, double half, int64_t impostors_twice, int64_t impostors_half);

// details["people"], and a remark in plain words. genuine: pairs of each of the people. caveat: what limits
// the intervals; "" for nothing.
void report_people(std::span<const int64_t> genuine, std::string_view caveat, ProtocolResult& result);

class PairUncertainty {
 public:
  static constexpr int64_t kBandPoints = 24;  // of a report's curve
  // thresholds: of which FAR and TAR are wanted as well; for report_common() the first ones are those that
  // were chosen elsewhere for each rate. band_points: about so many along the curve are, too,
  // at most one per distinct point. The ROC is defined() and outlives this.
  PairUncertainty(const Roc& roc, std::span<const double> fars, std::span<const double> thresholds = {},
                  int64_t band_points = 0);

  // To be filled with all pairs.
  PeopleTally empty_tally(int64_t people) const;

  Uncertainty tar_at_far(const PeopleTally& tally, size_t far) const;
  // The mean of each person's share of accepted pairs.
  struct PerPerson {
    double mean = 0;
    Uncertainty uncertainty;
  };
  PerPerson tar_per_person(const PeopleTally& tally, size_t far) const;
  Uncertainty auc(const PeopleTally& tally) const;
  Uncertainty eer(const PeopleTally& tally) const;
  Uncertainty tar_at(const PeopleTally& tally, size_t threshold) const;
  Uncertainty far_at(const PeopleTally& tally, size_t threshold) const;

  // Of TAR at points of the curve, by rising FAR, evenly over log FAR from ten impostors to all of them; none
  // where nothing or everything genuine is accepted.
  struct BandPoint {
    double far = 0, low = 0, high = 0;
  };
  std::vector<BandPoint> band(const PeopleTally& tally) const;

  // Of report_roc()'s numbers: their intervals, the means per person, the curve's band, details["people"],
  // and remarks in plain words. caveat: what limits all of them; "" for nothing.
  void report(const PeopleTally& tally, const std::string& caveat, ProtocolResult& result) const;
  // TAR and FAR at thresholds that were chosen elsewhere for each rate, with their intervals:
  // tar_at_common_far_x, far_at_common_far_x.
  void report_common(const PeopleTally& tally, const std::string& caveat, ProtocolResult& result) const;

 private:
  // A place on the curve, and the two levels of the tally that bound its gap.
  struct Cut {
    Roc::Cut roc;
    double wanted = 0;  // impostors; not a whole number at the EER
    size_t at = 0, above_next = 0;

    double accepted() const;   // K
    double gap_share() const;  // of the impostors in the gap
  };
  struct RateCuts {
    Cut at, twice, half;
  };
  struct Terms;

  Cut add_cut(double far, double wanted);
  void add_band(int64_t points);
  double impostors_at(const PeopleTally& tally, const Cut& cut, int64_t person) const;
  double tar(const PeopleTally& tally, const Cut& cut) const;
  double mean_tar(const PeopleTally& tally, const Cut& cut) const;
  double design_effect(const PeopleTally& tally, const Cut& cut) const;
  std::function<double(int64_t)> threshold_part(const PeopleTally& tally, const Cut& cut, double b) const;
  void count_events(const PeopleTally& tally, const Cut& cut, Uncertainty& uncertainty) const;
  Uncertainty with_tar_interval(const PeopleTally& tally, const Cut& cut, double b,
                                Uncertainty uncertainty) const;

  const Roc& roc_;
  std::vector<double> fars_, levels_;
  std::vector<RateCuts> rates_;
  std::vector<Cut> band_;
  Cut eer_, fifty_;
  size_t first_threshold_ = 0;  // its level
};

}  // namespace uir
