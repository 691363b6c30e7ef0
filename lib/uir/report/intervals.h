// Confidence intervals (95 %) of what is measured on people, from the influence of each person on the number:
// by how much it would differ without that person ("delete one", the jackknife).
//
// The unit is the person, never the image or the pair: pairs that share a person are not independent. With
// the influences φ of G people, less their mean,
//   V  = (G − 1)/G · Σφ²
//   df = 2 (Σφ²)² / (Σφ⁴ − (Σφ²)²/G), at least min(4, G − 1), at most G − 1
// and the interval of a rate θ is logistic(logit θ ± t(df)·√V/(θ(1 − θ))), of other numbers θ ± t(df)·√V. No
// random numbers: the same bits always.
// Source: B. Efron, C. Stein (1981); C. Clopper, E. Pearson (1934); how often intervals hold the truth:
// `uir-eval --validate-intervals`. Cost: O(people). Threads: plain functions.
#pragma once

#include <optional>
#include <span>
#include <vector>

namespace uir {

struct Interval {
  double low = 0, high = 0;
};

// Of a number's estimate.
struct Variance {
  double value = 0;
  double df = 0;  // degrees of freedom
};

// influences: of the people who contribute. None of fewer than three.
std::optional<Variance> variance_of(std::vector<double> influences);
// Of two independent groups of people; their degrees of freedom by Welch and Satterthwaite.
Variance sum_of(const Variance& a, const Variance& b);

double t_quantile(double df);  // .975

Interval interval_of_mean(double value, const Variance& variance);
// 0 < rate < 1.
Interval interval_of_rate(double rate, const Variance& variance);
// Of `events` in `trials`, which need not be whole numbers; from 0 for no event, to 1 for nothing but events.
Interval clopper_pearson(double events, double trials);

}  // namespace uir
