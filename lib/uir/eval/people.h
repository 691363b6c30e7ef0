// The people of a set of embeddings: their images, and one vector for each.
//
// A person's vector is the mean of its images' unit vectors, normalised: float64, in the order of rows,
// rounded once to float32, so that it is a canonical vector (search/canonical.h).
// Cost: one pass. Errors: kData for a person whose images cancel each other out. Threads: const after
// construction.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "uir/search/canonical.h"

namespace uir {

// Of some rows, in float64 and in their order.
std::vector<double> sum_of(const CanonicalVectors& images, std::span<const int64_t> rows);

class People {
 public:
  // labels[i] belongs to row i; rows without a label (below 0) are nobody's.
  explicit People(std::span<const int64_t> labels);

  int64_t size() const { return std::ssize(labels_); }
  int64_t num_images() const { return std::ssize(rows_); }
  int64_t image(int64_t i) const { return rows_[static_cast<size_t>(i)]; }              // person by person
  int64_t label(int64_t person) const { return labels_[static_cast<size_t>(person)]; }  // ascending
  std::span<const int64_t> rows(int64_t person) const;                                  // ascending
  int64_t person_of(int64_t label) const;                                               // −1: there is none

  // [size, D]
  CanonicalVectors means(const CanonicalVectors& images) const;
  // [D] the person's vector without one of its images, of which there are at least two.
  std::vector<float> mean_without(const CanonicalVectors& images, int64_t person, int64_t row) const;

 private:
  std::vector<float> normalised(const std::vector<double>& sum, int64_t person) const;

  std::vector<int64_t> labels_, rows_;  // rows of person p: rows_[begin_[p] .. begin_[p + 1])
  std::vector<size_t> begin_{0};
};

}  // namespace uir
