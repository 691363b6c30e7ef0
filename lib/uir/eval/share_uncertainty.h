// How sure are shares and means over faces, each of which is one person's? (report/intervals.h)
//
// With n_i of n faces and the sum S_i of person i, θ = Σ S_i/n, the influence is φ_i = (S_i − θ n_i)/(n −
// n_i). A share measured at a threshold that other faces set has two groups of people, whose variances add
// up: the other group's φ is that of its own share at the threshold, times by how much the one share changes
// with the other.
// Cost: O(faces). Threads: plain functions.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "uir/report/intervals.h"
#include "uir/report/uncertainty.h"

namespace uir {

// Fewer than 10 tell nothing, fewer than 30 little.
inline constexpr int64_t kLeastEvents = 10, kStrongEvents = 30;
Resolution resolution_of(int64_t events);

// Of a rate, whose variance is at least `least`. 0 and 1 have a bound of one side: three times `part`, that
// of one effective person. None, and why, where people do not differ at all.
void set_interval(double rate, Variance variance, double least, double part, Uncertainty& uncertainty);

// Σn_i²/n² of people with n_i of n pairs or probes: one over as many people as if all had the same number.
double concentration(std::span<const int64_t> numbers);

// Of a rate of mistakes at a fixed threshold that fewer than 10 of `trials` reach: of as many events and
// trials as these are worth, by Clopper and Pearson. None: a bound of one side, three such events.
// design_effect: how many times the variance of independent trials theirs is.
void set_few_events(int64_t events, int64_t trials, double design_effect, Uncertainty& uncertainty);

// What limits it, in words, behind its note where it has an interval; "" for nothing.
Uncertainty with_caveat(Uncertainty uncertainty, std::string_view caveat);

// Of each of the people 0 … people − 1 who has faces; none where one has all of them.
std::vector<double> share_influences(std::span<const double> values, std::span<const int64_t> person,
                                     int64_t people);

// groups: of influences, the first of those whose share it is, of `trials` faces. A share of 0 or 1 has a
// bound of one side. part: of one effective person; 0: all weigh alike.
Uncertainty share_uncertainty(double share, int64_t trials, std::vector<std::vector<double>> groups,
                              double part = 0);
// Of another mean.
Uncertainty mean_uncertainty(double mean, std::vector<double> influences);

}  // namespace uir
