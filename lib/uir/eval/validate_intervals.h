// Do the intervals hold the truth as often as they say? A simulation of faces whose truth is known, and the
// example that is known to all digits.
//
// A person's center is drawn from N(0, diag λ) in 20 dimensions, λ_k ∝ k^−0.7 with mean 1; an image is the
// center plus s·N(0, I), s = 0.62·exp(0.25 z), z ~ N(0, 1) once a person. 100 people of two to six images;
// for the open set 150 known and 150 strangers; 200 class centers in 16 dimensions; best cosines of 150 known
// people and 150 strangers. A second model sees the same people with noise that is correlated with the first
// one's by 0.9: the true differences are 0. Truth of FAR, FRR, TAR, AUC and EER: of the whole population; of
// the others the mean over all repetitions. Cost: 20 ms a repetition and thread. The same bits with any
// number of threads.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace uir {

struct CoveredNumber {
  std::string name;
  double truth = 0;
  int64_t intervals = 0, covered = 0;  // repetitions that had an interval, and that held the truth
  double low = 0, high = 0;            // wanted share

  double coverage() const { return static_cast<double>(covered) / static_cast<double>(intervals); }
  bool as_wanted() const { return intervals > 0 && coverage() >= low && coverage() <= high; }
};

std::vector<CoveredNumber> simulate_coverage(int64_t repetitions, int threads = 0);

// Where the example differs from what is known of it: a line each.
std::vector<std::string> example_differences();

// Both, as a table; kInternal if anything is not as it should be.
std::string validate_intervals(int64_t repetitions, int threads = 0);

}  // namespace uir
