// mAP@100 of the iQIYI-VID challenges (Liu et al., "iQIYI-VID: A Large Dataset for Multi-modal Person
// Identification", 2018): for every identity of a gallery, the videos of a set ranked by similarity.
//
// Per line of the ground truth (identity, videos V): the submitted list without repeats, its first `top`
// entries;
//   AP = Σ over hits (hits so far / rank) / |V|      with the full |V|, even where it exceeds `top`
// a missing identity counts 0; mAP = mean over the lines. Ranks are by float64 cosine (search/canonical.h),
// ties by row.
//
// Shapes: I identities × V videos; cost and memory: those of top_k() (search/top_k.h), 16·I·top bytes of it
// for the lists. Errors (kData, naming file and line): empty lists, an identity in two lines, a video twice
// in a list or unknown to the set. Threads: results do not depend on their number.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "uir/base/file.h"
#include "uir/eval/frame_aggregation.h"
#include "uir/eval/protocol.h"

namespace uir {

class VideoFrames;

// mAP@100 of the iQIYI-VID challenges: videos ranked for each identity.
struct VideoRetrievalProtocol {
  static constexpr std::string_view kType = "video_retrieval";
  static NumberFacts number_facts();
  static constexpr bool kSearchesPairs = true;
  std::string set;
  std::string gallery_set;
  DataPath gallery;
  DataPath ground_truth;
  FrameAggregation frames;
  int64_t top = 100;
  bool allow_missing = false;
  std::string submission;
  ConfigPath submission_in;
};
template <class Visitor>
void describe(Visitor& v, VideoRetrievalProtocol& c) {
  v.field("set", c.set, "The embedding set whose videos are ranked; items as in video_verification.");
  v.field("gallery_set", c.gallery_set, "The set that holds the gallery's videos; empty: the same set.");
  v.field("gallery", c.gallery, "Videos of the identities (train.txt, train_gt.txt): lines 'name label'.");
  v.field("ground_truth", c.ground_truth,
          "What is to be found (val.txt, val_gt.txt): lines 'label name name ...'; empty: only write the "
          "submission.");
  describe(v, c.frames);
  v.field("top", c.top, "Longest list of an identity.", AtLeast{1});
  v.field("allow_missing", c.allow_missing,
          "Videos of the lists that the set lacks are never found, instead of being an error.");
  v.field("submission", c.submission,
          "Name of the submission file in the report folder; empty: the model's and the protocol's name with "
          ".submission.txt.");
  v.field("submission_in", c.submission_in,
          "Measure this submission file against the ground truth instead of a set.");
}

std::vector<std::string> sets_of(const VideoRetrievalProtocol& config);
std::vector<std::string> problems_of(const VideoRetrievalProtocol& config, const KnownSources& sources);
std::vector<ProtocolResult> measure(const std::string& name, const VideoRetrievalProtocol& config,
                                    EvalContext& context);

// A line 'label name name …' of a ground truth or a submission, or the videos of one label of a gallery.
struct IdentityVideos {
  int64_t label = 0;
  std::vector<std::string> videos;
  bool operator==(const IdentityVideos&) const = default;
};

// Lines 'name label' (train.txt, train_gt.txt), grouped by label in ascending order.
std::vector<IdentityVideos> read_gallery(const fs::path& list);
// Lines 'label name name …' (val.txt, val_gt.txt).
std::vector<IdentityVideos> read_ground_truth(const fs::path& list);
// The same of a submission: a label may have no videos, and videos may repeat.
std::vector<IdentityVideos> read_submission(const fs::path& file);
// What a submission file holds.
std::string submission_text(std::span<const IdentityVideos> submission);

double average_precision(std::span<const std::string> ranked, std::span<const std::string> relevant,
                         int64_t top);

// A set of videos with their vectors.
struct VideoSet {
  const VideoFrames& videos;
  const CanonicalVectors& vectors;
};

// The ranked list of every identity of the gallery: its vector is the mean of its videos' unit vectors,
// scaled to length 1. Every video of the set is ranked but those that the gallery names. Names are written
// with .mp4 exactly when the first name of `spelling` has it.
std::vector<IdentityVideos> rank_videos(const VideoSet& set, const VideoSet& gallery_set,
                                        std::span<const IdentityVideos> gallery,
                                        const VideoRetrievalProtocol& protocol,
                                        std::span<const IdentityVideos> spelling,
                                        const ScanResources& resources);
// kData unless the set has every video of the ground truth (or missing ones are allowed), and the gallery
// none of them. Returns how many are missing.
int64_t check_ground_truth(std::span<const IdentityVideos> truth, std::span<const IdentityVideos> gallery,
                           const VideoFrames& videos, const VideoRetrievalProtocol& protocol);

// mAP of a submission; undefined without ground truth. vectors: describe_vectors of the ranked set, unused
// with submission_in.
ProtocolResult measure_submission(const std::string& name, std::span<const IdentityVideos> submission,
                                  std::span<const IdentityVideos> truth,
                                  const VideoRetrievalProtocol& protocol, const std::string& vectors = {});

}  // namespace uir
