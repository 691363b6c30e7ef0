// MegaFace challenge 1: photos of known people (FaceScrub) are searched for among up to a million distractors.
//
//   identification  for every ordered pair (probe, mate) of two images of one identity, the mate is put among the
//                   distractors and the probe is searched for: rank = 1 + number of distractors whose score with the
//                   probe is at least the mate's (a tie is a miss); the rate of rank k is the share of pairs of rank
//                   <= k, for several numbers of distractors (the first n rows of the set)
//   verification    genuine: unordered pairs of probes of one identity; impostors: probe x distractor; TAR at FAR, rule
//                   `at_most` (roc.h)
// Source: I. Kemelmacher-Shlizerman et al., The MegaFace Benchmark (CVPR 2016). Noise lists (wrong labels among the
// probes, known people among the distractors): J. Deng et al., ArcFace (2019); noises are left out, or those of the
// probes replaced by the mean of their identity, as published numbers have it.
// Exact: float64 scores of canonical vectors, ties counted; the same for any number of threads.
// Cost: probes x distractors x D multiplications, those of int8 where a probe's worst mate scores above most distractors
// (pair_scan.h), else in float64 (exact_scores.h). Memory: the probes twice, what scan_pairs() takes, and per thread a
// block of distractors and 24 bytes per pair of one identity: it does not grow with the distractors.
// Errors: kData for probes without identity, no two images of one identity, no distractors, different dimensions, a
// count above the rows of the set, a list of noises none of which is in the set.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "uir/base/file.h"
#include "uir/eval/config.h"
#include "uir/report/report.h"
#include "uir/search/pair_scan.h"
#include "uir/store/embedding_store.h"

namespace uir {

// Rows of the items that a noise list names. A line is the end of an item at a slash ("Ann_Lee_7.png" is
// "faces/Ann_Lee/Ann_Lee_7.png") or "anything<TAB>end of an item"; lines with # in front are comments.
std::vector<bool> noisy_rows(const fs::path& list, std::span<const std::string_view> items);

ProtocolResult run_megaface(const std::string& name, const EmbeddingStore& probes,
                            const EmbeddingStore& distractors, const MegaFaceProtocol& protocol,
                            const ScanResources& resources = {});

}  // namespace uir
