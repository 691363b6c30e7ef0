#include "uir/eval/video_verification.h"

#include <algorithm>

#include "uir/eval/all_pairs.h"

namespace uir {

ProtocolResult run_video_verification(const std::string& name, const CanonicalVectors& vectors,
                                      const VideoFrames& videos, std::span<const int64_t> labels,
                                      const FrameAggregation& frames, const std::vector<double>& fpr,
                                      int threads) {
  const Roc roc = all_pairs_roc(vectors, labels, threads);
  ProtocolResult result{name, "video_verification", {}, {}, {}, Json::object()};
  result.description = concat(
      "Every unordered pair of videos of the set: genuine when both show one identity, else impostor. Vector "
      "of a "
      "video: ",
      describe_vectors(frames, videos),
      ". Score: cosine. TPR at FPR by the rule at_most (the largest TPR whose FPR does not exceed the "
      "target), exact.");
  if (videos.rows_are_frames()) result.count("frames", videos.num_frames());
  result.count("videos", videos.size());
  std::vector<int64_t> identities(labels.begin(), labels.end());
  std::ranges::sort(identities);
  result.count("identities", std::unique(identities.begin(), identities.end()) - identities.begin());
  result.count("genuine_pairs", roc.num_genuine());
  result.count("impostor_pairs", roc.num_impostor());
  for (const double rate : fpr) {
    const std::string number = name_with_rate("tpr_at_fpr", rate);
    if (roc.defined()) {
      const RocPoint point = roc.at_most(rate);
      result.number(number, point.tar);
      result.details["thresholds"].push_back(
          {{"fpr", rate}, {"achieved_fpr", point.far}, {"tpr", point.tar}, {"threshold", point.threshold}});
    } else {
      result.undefined(number, "needs genuine and impostor pairs");
    }
  }
  return result;
}

}  // namespace uir
