// Probe templates searched for in two galleries of templates that share nobody.
//
// Score: dot product of templates (templates.h), float64, summed in index order. Of a probe, `own` is its
// best score with templates of its subject, `other` the best with all other templates of the same gallery.
// Cost: 2·D operations per probe and gallery template. Memory: 80 bytes per probe, 16 per kept score and
// thread, and two copies of the galleries and probes. The result does not depend on the number of threads.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "uir/eval/identification_uncertainty.h"
#include "uir/eval/ijb_meta.h"
#include "uir/search/canonical.h"

namespace uir {

// What one probe found in one gallery; people are subjects.
struct ProbeScores : OtherScores {
  double own = kNone;
  int64_t others_at_least_own = 0;  // of this gallery, compared with the probe's own score in either
  bool mated() const { return own > kNone; }
  bool within(int64_t k) const { return mated() && others_at_least_own < k; }
};

struct SearchScores {
  std::array<std::vector<ProbeScores>, 2> galleries;  // [gallery][probe]
  std::vector<double> highest_non_mate;               // over both galleries, highest first
};
// num_non_mate: how many of the highest non-mate scores are kept.
SearchScores search_galleries(const CanonicalVectors& templates, const IjbSearch& search,
                              int64_t num_non_mate, int threads = 1);

}  // namespace uir
