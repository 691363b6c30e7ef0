// Verification protocol of LFW and its kin: accuracy over folds, VAL@FAR, ROC.
//
// d = squared Euclidean distance of canonical vectors; a pair is called "same" when d < threshold.
//   accuracy  thresholds 0, 0.01 … 3.99; per fold the first threshold with the best accuracy on the other folds,
//             accuracy on this one; mean and population standard deviation over the folds
//   VAL       at FAR 1e-3: thresholds 0, 0.001 … 3.999; per fold the threshold interpolated linearly, on the other
//             folds, between the last one with FAR < 1e-3 and the first with FAR >= 1e-3 (0 when even the largest FAR
//             is below); share of genuine (VAL) and impostor (FAR) pairs of this fold called "same"; mean over folds
//   ROC       over −d of all pairs: AUC, EER, TAR at FAR 1e-2 and 1e-3 (roc.h)
// Source: G. B. Huang et al., Labeled Faces in the Wild (2007), View 2; F. Schroff et al., FaceNet (2015), section 4
// (VAL); the thresholds are those of the public FaceNet and InsightFace evaluations.
// Undefined: VAL where a fold lacks genuine or impostor pairs; AUC, EER and TAR where the set does; accuracy with
// fewer pairs than folds. Cost: O(P·D).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "uir/eval/pairs.h"
#include "uir/eval/roc.h"
#include "uir/report/report.h"
#include "uir/search/canonical.h"

namespace uir {

struct FoldResult {
  double threshold = 0, accuracy = 0;              // of the accuracy
  double val_threshold = 0, val = 0, val_far = 0;  // not a number where undefined
};

struct VerificationResult {
  std::vector<FoldResult> folds;  // empty: fewer pairs than folds
  double accuracy = 0, accuracy_std = 0;
  double val = 0, val_std = 0, val_far = 0;  // at FAR 1e-3; not a number where undefined
  Roc roc;                                   // over −d
};

// distances[i] belongs to pairs.pairs[i].
VerificationResult measure_verification(const std::vector<double>& distances, const PairList& pairs);
std::vector<double> pair_distances(const CanonicalVectors& vectors, const PairList& pairs, int threads = 1);

ProtocolResult run_verification(const std::string& name, const CanonicalVectors& vectors,
                                const PairList& pairs, int threads = 1);

}  // namespace uir
