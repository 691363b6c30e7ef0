// From which score on are two faces not of different people? A threshold far out in the tail of the scores of
// different people, farther than any sample goes.
//
// The scores at two rates that a sample shows, near and far, as quantiles z of the normal distribution, give
// a line; the threshold at a rate p is s_far + (s_far − s_near)·(z_p − z_far)/(z_far − z_near). y1 on LFW:
// cosines at 1e-1 … 1e-5 are .147, .262, .355, .432, .491; the line through the first two gives .346, .415 and
// .475 for the others, that through the second and third .431 and .497.
// Cost: sorting. Threads: plain functions.
#pragma once

#include <vector>

namespace uir {

// The z that a share p of a normal distribution exceeds, 0 < p < 1.
double normal_quantile(double p);
// scores: of different people, more than 10 / far; pairs among them that are one person after all hide below
// `far` only where they are much rarer. p < far.
double impostor_threshold(std::vector<double> scores, double near, double far, double p);

}  // namespace uir
