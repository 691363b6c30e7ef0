// MegaFace challenge 1: photos of known people (FaceScrub) are searched for among up to a million
// distractors.
//
//   identification  for every ordered pair (probe, mate) of two images of one identity, the mate is put among
//                   the distractors and the probe is searched for: rank = 1 + number of distractors whose
//                   score with the probe is at least the mate's (a tie is a miss); the rate of rank k is the
//                   share of pairs of rank <= k, for several numbers of distractors (the first n rows of the
//                   set)
//   verification    genuine: unordered pairs of probes of one identity; impostors: probe x distractor; TAR at
//                   FAR, rule `at_most` (roc.h)
// Source: I. Kemelmacher-Shlizerman et al., The MegaFace Benchmark (CVPR 2016). Noise lists (wrong labels
// among the probes, known people among the distractors): J. Deng et al., ArcFace (2019); noises are left out,
// or those of the probes replaced by the mean of their identity, as published numbers have it.
// Intervals over the people of the probes and the distractors, each a unit of its own: a search of rank k may
// become a hit without one of exactly k distractors that reach the mate; TAR at FAR as in tail_uncertainty.h.
// None for ranks above 1000 and for rates that accept more than 2^20 impostor pairs.
// Exact: float64 scores of canonical vectors, ties counted; the same for any number of threads.
// Cost: probes x distractors x D multiplications, those of int8 where a probe's worst mate scores above most
// distractors (pair_scan.h), else in float64 (exact_scores.h). Memory: that of MateSearch (mate_search.h),
// which does not grow with the distractors, and 8 bytes per distractor and number for the intervals.
// Errors: kData for probes without identity, no two images of one identity, no distractors, different
// dimensions, a count above the rows of the set, a list of noises none of which is in the set.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "uir/base/file.h"
#include "uir/eval/flip_test.h"
#include "uir/eval/protocol.h"

namespace uir {

// Where the identity of a probe stands: its label, or everything before the last slash of its item.
enum class IdentityOf { kLabel, kFolder };
template <>
struct EnumNames<IdentityOf> {
  static constexpr std::array<EnumName<IdentityOf>, 2> value{
      {{IdentityOf::kLabel, "label"}, {IdentityOf::kFolder, "folder"}}};
};

// What becomes of noisy probes: nothing, or each is replaced by the mean of its identity's other images.
enum class NoisyProbes { kLeftOut, kCenter };
template <>
struct EnumNames<NoisyProbes> {
  static constexpr std::array<EnumName<NoisyProbes>, 2> value{
      {{NoisyProbes::kLeftOut, "left_out"}, {NoisyProbes::kCenter, "center"}}};
};

// MegaFace challenge 1: probes of known people among up to a million distractors.
struct MegaFaceProtocol {
  static constexpr std::string_view kType = "megaface";
  static NumberFacts number_facts();
  static constexpr bool kSearchesPairs = true;
  std::string probes;
  std::string distractors;
  IdentityOf identity = IdentityOf::kLabel;
  DataPath probe_noises;
  NoisyProbes noisy_probes = NoisyProbes::kLeftOut;
  DataPath distractor_noises;
  std::vector<double> far{1e-6};
  std::vector<int64_t> ranks{1, 10};
  std::vector<int64_t> distractor_counts;
  bool flip = true;
};
template <class Visitor>
void describe(Visitor& v, MegaFaceProtocol& c) {
  v.field("probes", c.probes, "The set of probes (FaceScrub), with identities.", Required{});
  v.field("distractors", c.distractors, "The set of distractors (MegaFace), in the list's order.",
          Required{});
  v.field("identity", c.identity, "What tells the probes' identities: their labels, or their folders.");
  v.field("probe_noises", c.probe_noises, "List of wrongly labeled probes (facescrub_noises.txt).");
  v.field("noisy_probes", c.noisy_probes,
          "What becomes of them: left out, or replaced by the mean of their identity, as most published "
          "numbers do.");
  v.field("distractor_noises", c.distractor_noises,
          "List of distractors to leave out (megaface_noises.txt).");
  v.field("far", c.far, "False-acceptance rates.", Between{0, 1}, Distinct{});
  v.field("ranks", c.ranks, "Ranks.", AtLeast{1}, Distinct{});
  v.field("distractor_counts", c.distractor_counts,
          "Sizes of the gallery: the first so many rows of the distractors; empty: 10, 100, 1000 … and all.",
          AtLeast{1}, Distinct{});
  v.field("flip", c.flip, kFlipTest);
}

std::vector<std::string> sets_of(const MegaFaceProtocol& config);
std::vector<std::string> problems_of(const MegaFaceProtocol& config, const KnownSources& sources);
std::vector<ProtocolResult> measure(const std::string& name, const MegaFaceProtocol& config,
                                    EvalContext& context);

ProtocolResult run_megaface(const std::string& name, const EmbeddingStore& probes,
                            const EmbeddingStore& distractors, const MegaFaceProtocol& protocol,
                            const ScanResources& resources);

}  // namespace uir
