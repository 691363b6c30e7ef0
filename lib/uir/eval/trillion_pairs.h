// The Trillion-Pairs protocol: TPR at a very low FPR over all pairs of a labeled gallery and unlabeled
// distractors
// (and the image track of the LFR challenge, which is the same with all pairs and another rate).
//
// Rows with a label are the gallery, rows with label −1 the distractors.
//   verification    genuine pairs: all pairs of one identity in the gallery. Impostor pairs: every gallery
//                   image with every distractor (gallery_x_distractors), or also all pairs of two identities
//                   in the gallery (all)
//   identification  every gallery image of an identity with two or more images against the rest of the
//                   gallery; a hit scores more with its own identity than with every other one (a tie is a
//                   miss), and more than the threshold: that which at most the given share of distractors
//                   reach by their best gallery score
// Both by the rule at_most (roc.h), exact with ties: with M impostors (distractors), at most k of which may
// be accepted, the threshold lies above the (k+1)-th best score.
// Intervals over the people of the gallery and the distractors, each a unit of its own (tail_uncertainty.h,
// identification_uncertainty.h): the searches keep the best 2k + 1 impostors with whose they are, for the
// threshold at twice the rate, or as many as kMaxTail allows.
// Source: the competition's description and the literature that reports on it (T. Trillion-Pairs; J. Deng et
// al., ArcFace, 2019); the organisers' evaluator was never published.
// Shapes: embeddings [N, D], labels [N]. Cost: gallery x distractors scores in a scan (pair_scan.h); for
// `all` or identification also gallery² / 2 or gallery². Memory: that of a scan, 80 bytes per deciding pair,
// 24 per row; after the scans, for the intervals, some 100 bytes per row.
// Errors: no gallery, or no distractors where they are needed: kData; a rate that more than kMaxTail pairs
// decide: kConfig; a stop request: kStopped, the next call continues from the state files.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "uir/base/file.h"
#include "uir/eval/flip_test.h"
#include "uir/eval/protocol.h"

namespace uir {

class UnitRows;

// TPR at a very low FPR over all pairs of a labeled gallery and unlabeled distractors, exact with ties.
enum class Impostors { kGalleryXDistractors, kAll };
template <>
struct EnumNames<Impostors> {
  static constexpr std::array<EnumName<Impostors>, 2> value{
      {{Impostors::kGalleryXDistractors, "gallery_x_distractors"}, {Impostors::kAll, "all"}}};
};
struct TrillionPairsProtocol {
  static constexpr std::string_view kType = "trillion_pairs";
  static NumberFacts number_facts();
  static constexpr bool kSearchesPairs = true, kRestartable = true;
  std::string set;
  Impostors impostors = Impostors::kGalleryXDistractors;
  std::vector<double> fpr{1e-9};
  std::vector<double> identification_fpr{1e-3};
  DataPath labels;
  bool flip = true;
};
template <class Visitor>
void describe(Visitor& v, TrillionPairsProtocol& c) {
  v.field("set", c.set, "The embedding set: labeled rows are the gallery, rows labeled -1 the distractors.",
          Required{});
  v.field("impostors", c.impostors,
          "Which pairs are impostors: every gallery image with every distractor, or also all pairs of two "
          "identities in the gallery (LFR image track).");
  v.field("fpr", c.fpr, "False-positive rates of verification.", GreaterThan{0}, Between{0, 1}, Distinct{});
  v.field("identification_fpr", c.identification_fpr,
          "False-positive rates of identification; empty: none is measured.", GreaterThan{0}, Between{0, 1},
          Distinct{});
  v.field(
      "labels", c.labels,
      "List 'image label' of the gallery, images without a line are distractors; empty: the labels of the "
      "set.");
  v.field("flip", c.flip, kFlipTest);
}

std::vector<std::string> sets_of(const TrillionPairsProtocol& config);
std::vector<std::string> problems_of(const TrillionPairsProtocol& config, const KnownSources& sources);
std::vector<ProtocolResult> measure(const std::string& name, const TrillionPairsProtocol& config,
                                    EvalContext& context);

// config: impostors and rates; its set, labels and flip are not looked at. scan: names of the state files
// start with its state (empty: not restartable), and its `what` is not looked at.
ProtocolResult run_trillion_pairs(const std::string& name, const UnitRows& vectors,
                                  std::span<const int64_t> labels, const TrillionPairsProtocol& config,
                                  const DividedScanOptions& scan);

// The state files that a run may leave; remove them once its result is safe.
std::vector<fs::path> trillion_pairs_states(const fs::path& state);

}  // namespace uir
