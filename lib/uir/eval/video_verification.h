// TPR@FPR over all pairs of videos: the video track of the Lightweight Face Recognition challenge (Deng et al., 2019).
//
// Every unordered pair of videos counts once, genuine when both have one label. TPR at FPR x is the largest share of
// genuine pairs accepted at a threshold that accepts at most a share x of the impostors (rule at_most), exact.
// Cost and memory: those of all_pairs.h. Errors: kData.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "uir/eval/video.h"
#include "uir/report/report.h"

namespace uir {

ProtocolResult run_video_verification(const std::string& name, const CanonicalVectors& vectors,
                                      const VideoFrames& videos, std::span<const int64_t> labels,
                                      const FrameAggregation& frames, const std::vector<double>& fpr,
                                      int threads = 1);

}  // namespace uir
