// What a random gallery of n of the P people at hand would do, in closed form: means over all C(P, n) draws.
//
// Of the P people, r score at least t with a face. None of them is in a gallery of n people, drawn at random,
// with probability
//   none(r) = C(P − r, n) / C(P, n) = Π_{j < r} (P − n − j) / (P − j)
// So no draw has to be made, and no figure depends on a seed.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace uir {

class RandomGalleries {
 public:
  // n of `people` people, 0 <= n <= people.
  RandomGalleries(int64_t people, int64_t n) : people_(people), n_(n) {}

  // The probability that none of r people is in the gallery. Amortised O(1); memory: 8 bytes per r seen.
  double none(int64_t r) {
    while (std::ssize(none_) <= r) {
      const int64_t j = std::ssize(none_) - 1;
      const double step = j >= people_ ? 0
                                       : static_cast<double>(std::max<int64_t>(0, people_ - n_ - j)) /
                                             static_cast<double>(people_ - j);
      none_.push_back(none_.back() * step);
    }
    return none_[static_cast<size_t>(r)];
  }

 private:
  int64_t people_, n_;
  std::vector<double> none_{1.0};
};

}  // namespace uir
