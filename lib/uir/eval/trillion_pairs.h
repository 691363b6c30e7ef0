// The Trillion-Pairs protocol: TPR at a very low FPR over all pairs of a labeled gallery and unlabeled distractors
// (and the image track of the LFR challenge, which is the same with all pairs and another rate).
//
// Rows with a label are the gallery, rows with label −1 the distractors.
//   verification    genuine pairs: all pairs of one identity in the gallery. Impostor pairs: every gallery image with
//                   every distractor (gallery_x_distractors), or also all pairs of two identities in the gallery (all)
//   identification  every gallery image of an identity with two or more images against the rest of the gallery; a hit
//                   scores more with its own identity than with every other one (a tie is a miss), and more than the
//                   threshold: that which at most the given share of distractors reach by their best gallery score
// Both by the rule at_most (roc.h), exact with ties: with M impostors (distractors), at most k of which may be
// accepted, the threshold lies above the (k+1)-th best score.
// Source: the competition's description and the literature that reports on it (T. Trillion-Pairs; J. Deng et al.,
// ArcFace, 2019); the organisers' evaluator was never published.
// Shapes: embeddings [N, D], labels [N]. Cost: gallery x distractors scores in a scan (pair_scan.h); for `all` or
// identification also gallery² / 2 or gallery². Memory: that of a scan, 40 bytes per deciding pair, 24 per row.
// Errors: no gallery, or no distractors where they are needed: kData; a rate that more than kMaxTail pairs decide:
// kConfig; a stop request: kStopped, the next call continues from the state files.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "uir/base/file.h"
#include "uir/eval/config.h"
#include "uir/report/report.h"
#include "uir/search/pair_scan.h"
#include "uir/search/unit_rows.h"

namespace uir {

struct TrillionPairsRun {
  ScanResources resources{};
  fs::path state;                // names of the state files start with this; empty: not restartable
  std::function<bool()> stop{};  // asked several times a second
  Slice slice{};                 // of several processes that share the scans
  Exchange exchange{};           // between them
};

// config: impostors and rates; its set, labels and flip are not looked at.
ProtocolResult run_trillion_pairs(const std::string& name, const UnitRows& vectors,
                                  std::span<const int64_t> labels, const TrillionPairsProtocol& config,
                                  const TrillionPairsRun& run = {});

// The state files that a run may leave; remove them once its result is safe.
std::vector<fs::path> trillion_pairs_states(const fs::path& state);

// The largest k with k / n <= rate, as the rule at_most divides.
int64_t allowed_at_most(int64_t n, double rate);

}  // namespace uir
