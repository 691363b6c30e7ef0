// TPR@FPR over all pairs of videos: the video track of the Lightweight Face Recognition challenge (Deng et
// al., 2019).
//
// Every unordered pair of videos counts once, genuine when both have one label. TPR at FPR x is the largest
// share of genuine pairs accepted at a threshold that accepts at most a share x of the impostors (rule
// at_most), exact.
// Cost and memory: those of all_pairs.h. Errors: kData.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "uir/eval/frame_aggregation.h"
#include "uir/eval/protocol.h"

namespace uir {

class VideoFrames;

// TPR@FPR over all pairs of videos (LFR video track).
struct VideoVerificationProtocol {
  static constexpr std::string_view kType = "video_verification";
  static NumberFacts number_facts();
  std::string set;
  FrameAggregation frames;
  DataPath labels;
  std::vector<double> fpr{1e-4};
};
template <class Visitor>
void describe(Visitor& v, VideoVerificationProtocol& c) {
  v.field("set", c.set, "The embedding set; its items are 'video/frame', or videos with one embedding each.",
          Required{});
  describe(v, c.frames);
  v.field("labels", c.labels,
          "List 'video label'; empty: the labels of the set, equal in all frames of a video.");
  v.field("fpr", c.fpr, "False-positive rates.", GreaterThan{0}, Between{0, 1}, Distinct{});
}

std::vector<std::string> sets_of(const VideoVerificationProtocol& config);
std::vector<std::string> problems_of(const VideoVerificationProtocol& config, const KnownSources& sources);
std::vector<ProtocolResult> measure(const std::string& name, const VideoVerificationProtocol& config,
                                    EvalContext& context);

ProtocolResult run_video_verification(const std::string& name, const CanonicalVectors& vectors,
                                      const VideoFrames& videos, std::span<const int64_t> labels,
                                      const FrameAggregation& frames, const std::vector<double>& fpr,
                                      int threads = 1);

}  // namespace uir
