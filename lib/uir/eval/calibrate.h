// Measures the thresholds of a calibration (calibration.h) from embeddings of known people and of strangers.
//
//   1:1  genuine: all pairs of images of one known person. Impostors: all pairs of images of two known
//        people, and of a known image and a stranger.
//   1:N  strangers, one image each, against the people of the gallery; images of known people against the
//        same people, of their own one the vector without that image where the gallery is made of the same
//        set (a person of one image is then in the gallery only). Named right: the own person scores
//        >= threshold and more than all others. Smaller galleries: random_galleries.h.
// All exact, float64. Cost: three scans (search/pair_scan.h): known · (known / 2 + strangers) and
// (known + strangers) · people. Memory: 4·D bytes per known image and person, 16 per kept impostor.
// Errors: those of scan_pairs(); kData for sets without genuine pairs, without strangers, of other networks
// or dimensions, a gallery without the known people; kConfig for a rate that would keep more than kMaxTail
// scores, or a gallery larger than there are people.
#pragma once

#include <optional>
#include <vector>

#include "uir/eval/calibration.h"
#include "uir/eval/embedding_sets.h"
#include "uir/search/pair_scan.h"

namespace uir {

struct CalibrationRates {
  std::vector<double> false_matches{1e-3, 1e-4, 1e-5, 1e-6};
  std::vector<double> false_alarms{100, 10, 1};  // per 1,000 strangers
  std::vector<int64_t> sizes;                    // of galleries; empty: 10, 100, … and all people
};

struct CalibrationSets {
  NamedStore known;
  std::vector<NamedStore> strangers;
  std::optional<NamedStore> gallery;  // none: the known set's own people
};

Calibration calibrate(const CalibrationSets& sets, const CalibrationRates& rates, const ScanOptions& scan);

}  // namespace uir
