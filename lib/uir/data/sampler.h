// Which samples an optimizer step sees. A pure function of the step: nothing to save but the step number.
//
// The labeled stream makes one pass per epoch in an order of its own (incomplete last batch dropped); the
// unlabeled stream has its own position (step * batch) and reshuffles whenever it wraps. Both are defined on
// the global batch: rank r of k takes rows [r B/k, (r+1) B/k) of each, so the order does not depend on k.
// Orders are pseudo-random permutations that are computed, not stored (base/random.h).
// Cost: one pass over the index's flags when it is made and 8 bytes per training row; O(rows of the
// micro-batch) per call.
// Threads: const functions are thread-safe.
#pragma once

#include <cstdint>
#include <vector>

#include "uir/data/batch.h"
#include "uir/data/index.h"

namespace uir {

class TrainingSampler {
 public:
  struct Shape {
    int64_t labeled = 0, unlabeled = 0;  // rows of a global batch
    int64_t accumulation = 1;
    int64_t rank = 0, num_ranks = 1;
  };
  // Counts of the shape are of a global batch, 0 <= rank < num_ranks. kConfig: fewer labeled rows than a
  // batch, unlabeled rows asked for where the index has none, or counts that accumulation * num_ranks does
  // not divide.
  TrainingSampler(const Index& index, Shape shape, uint64_t seed);

  int64_t steps_per_epoch() const;  // of the labeled stream; at least 1
  // Samples of micro-batch m = step * accumulation + part: this rank's labeled rows first, then its unlabeled
  // rows.
  std::vector<Sample> micro_batch(int64_t m) const;

 private:
  // This rank's part of a global batch: positions within it.
  RowRange own_part(int64_t global_count, int64_t part) const;
  void add_labeled(int64_t step, int64_t part, std::vector<Sample>& samples) const;
  void add_unlabeled(int64_t step, int64_t part, std::vector<Sample>& samples) const;

  Index index_;
  std::vector<int64_t> labeled_rows_, unlabeled_rows_;
  Shape shape_;
  uint64_t seed_;
};

}  // namespace uir
