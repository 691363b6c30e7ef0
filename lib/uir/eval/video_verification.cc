#include "uir/eval/video_verification.h"

#include <algorithm>

#include "uir/eval/all_pairs.h"
#include "uir/eval/context.h"
#include "uir/eval/pair_uncertainty.h"
#include "uir/eval/published.h"
#include "uir/eval/report_roc.h"
#include "uir/eval/video.h"
#include "uir/report/report.h"

namespace uir {
namespace {

constexpr NamedMeaning kMeanings[] = {
    {"tpr_at_fpr",
     kHigherRate,
     {"TPR@FPR {x}",
      "{value} of pairs of videos of one person are accepted when {rate} pairs of videos of different people "
      "{is}."}}};

std::vector<Reference> published_numbers() {
  const auto video_track = [](std::string_view model, double tpr) {
    return Reference{model,
                     kChallengeBaselines,
                     "",
                     "lfr",
                     {},
                     {},
                     {"sum of the frames' unit vectors, scaled to length 1; no flip test"},
                     {{"tpr_at_fpr_0.0001", tpr}}};
  };
  return {video_track("MobileFaceNet y2", .47191), video_track("R100", .64894)};
}

}  // namespace

NumberFacts VideoVerificationProtocol::number_facts() {
  static const std::vector<Reference> kPublished = published_numbers();
  return {kMeanings, kPublished};
}

ProtocolResult run_video_verification(const std::string& name, const CanonicalVectors& vectors,
                                      const VideoFrames& videos, std::span<const int64_t> labels,
                                      const FrameAggregation& frames, const std::vector<double>& fpr,
                                      int threads) {
  const Roc roc = all_pairs_roc(vectors, labels, threads);
  auto result = ProtocolResult::of<VideoVerificationProtocol>(name);
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
  warn_of_unresolved_rates(name, fpr, roc.num_impostor());
  for (const double rate : fpr) {
    const std::string number = name_with_rate("tpr_at_fpr", rate);
    if (roc.defined()) {
      const RocPoint point = roc.at_most(rate);
      const Roc::Sides impostors = roc.impostors_beside(point.threshold);
      result.number(number, point.tar);
      result.details["thresholds"].push_back({{"fpr", rate},
                                              {"achieved_fpr", point.far},
                                              {"tpr", point.tar},
                                              {"threshold", point.threshold},
                                              {"impostor_below", impostors.below},
                                              {"impostor_accepted", impostors.accepted}});
    } else {
      result.undefined(number, "needs genuine and impostor pairs");
    }
  }
  if (!roc.defined()) return result;
  const PairUncertainty uncertainty(roc, fpr);
  const PeopleTally tally = all_pairs_tally(uncertainty, vectors, labels, threads);
  for (size_t k = 0; k < fpr.size(); ++k)
    result.set_uncertainty(name_with_rate("tpr_at_fpr", fpr[k]), uncertainty.tar_at_far(tally, k));
  return result;
}

std::vector<std::string> sets_of(const VideoVerificationProtocol& config) { return {config.set}; }

std::vector<std::string> problems_of(const VideoVerificationProtocol& config, const KnownSources& sources) {
  std::vector<std::string> problems = sources.problems_of_sets({{"set", {config.set}}});
  if (config.fpr.empty()) problems.emplace_back("names no rate");
  for (const std::string& problem : problems_of(config.frames)) problems.push_back(problem);
  return problems;
}

std::vector<ProtocolResult> measure(const std::string& name, const VideoVerificationProtocol& config,
                                    EvalContext& context) {
  const EmbeddingStore& set = context.sets.store(config.set);
  const VideoFrames videos = videos_of(set);
  const std::vector<int64_t> labels = config.labels.empty() ? labels_of_videos(set.labels(), videos)
                                                            : read_video_labels(config.labels.value, videos);
  const CanonicalVectors vectors = video_vectors(set, videos, config.frames, context.threads());
  return {
      run_video_verification(name, vectors, videos, labels, config.frames, config.fpr, context.threads())};
}

}  // namespace uir
