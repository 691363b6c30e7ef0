// Verification protocol of LFW and its kin: accuracy over folds, VAL@FAR, ROC.
//
// d = squared Euclidean distance of canonical vectors; a pair is called "same" when d < threshold.
//   accuracy  thresholds 0, 0.01 … 3.99; per fold the first threshold with the best accuracy on the other
//             folds, accuracy on this one; mean and population standard deviation over the folds
//   VAL       at FAR 1e-3: thresholds 0, 0.001 … 3.999; per fold the threshold interpolated linearly, on the
//             other folds, between the last one with FAR < 1e-3 and the first with FAR >= 1e-3 (0 when even
//             the largest FAR is below); share of genuine (VAL) and impostor (FAR) pairs of this fold called
//             "same"; mean over folds
//   ROC       over −d of all pairs: AUC, EER, TAR at FAR 1e-2 and 1e-3 (roc.h)
// Source: G. B. Huang et al., Labeled Faces in the Wild (2007), View 2; F. Schroff et al., FaceNet (2015),
// section 4
// (VAL); the thresholds are those of the public FaceNet and InsightFace evaluations.
// Undefined: VAL where a fold lacks genuine or impostor pairs; AUC, EER and TAR where the set does; accuracy
// with fewer pairs than folds. Cost: O(P·D).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "uir/eval/calibration.h"
#include "uir/eval/flip_test.h"
#include "uir/eval/pairs.h"
#include "uir/eval/protocol.h"
#include "uir/eval/roc.h"
#include "uir/eval/split.h"

namespace uir {

// Accuracy over ten folds, VAL@FAR, AUC, EER, TAR@FAR of given pairs.
struct VerificationProtocol {
  static constexpr std::string_view kType = "verification";
  static NumberFacts number_facts();
  std::string set;
  DataPath pairs;
  PairsFormat format = PairsFormat::kLfw;
  DataPath bin;
  int64_t num_pairs = 0;
  bool allow_missing = false;
  bool flip = true;
  SplitOptions split{};
};
template <class Visitor>
void describe(Visitor& v, VerificationProtocol& c) {
  v.field("set", c.set, "The embedding set (source name).", Required{});
  v.field("pairs", c.pairs,
          "List of pairs (cfp_…: the folder Protocol); empty for a .bin source, which brings its own.");
  v.field("format", c.format,
          "What the list holds, never guessed (docs/formats.md): LFW's pairs.txt; the lists of CALFW and "
          "CPLFW; CFP's "
          "folder, frontal with profile or frontal with frontal; lines 'path path 0|1'.");
  v.field("bin", c.bin,
          "Instead of a list: the .bin whose pairs count, for a set that holds its images in its order.");
  v.field("num_pairs", c.num_pairs,
          "Pairs that there must be (LFW, AgeDB-30, CALFW, CPLFW: 6000; CFP: 7000); 0: not checked.",
          AtLeast{0});
  v.field("allow_missing", c.allow_missing,
          "Pairs of the list of which the set lacks an image (no face was found in it) are left out with a "
          "warning and counted in the report, instead of being an error.");
  v.field("flip", c.flip, kFlipTest);
  describe_split(v, c.split);
}

std::vector<std::string> sets_of(const VerificationProtocol& config);
std::vector<std::string> problems_of(const VerificationProtocol& config, const KnownSources& sources);
std::vector<ProtocolResult> measure(const std::string& name, const VerificationProtocol& config,
                                    EvalContext& context);

// The pairs of a set whose row i is items[i]: from the list, from the .bin, or from the .bin source that the
// set is. kData unless there are num_pairs of them, where the config says so; kConfig where nothing tells
// them.
PairList pairs_of(const VerificationProtocol& config, const KnownSources& sources,
                  std::span<const std::string_view> items);

inline constexpr double kValFar = 1e-3;  // at which VAL is measured

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

// calibration: its thresholds are applied as well; null: none. labels: of the set's rows, for intervals;
// null: none.
ProtocolResult run_verification(const std::string& name, const CanonicalVectors& vectors,
                                const PairList& pairs, int threads = 1,
                                const Calibration* calibration = nullptr,
                                std::optional<std::span<const int64_t>> labels = std::nullopt);

}  // namespace uir
