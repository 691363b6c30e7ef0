// From frames to videos: which rows of a set belong to which video, and one vector per video.
//
// A set of videos has items 'video/frame'; the video is what stands before the last slash. Videos are in the
// order in which the set first names them, which is that of the list it was made from. Their names are
// compared without the ending .mp4, since the lists of one data set use both spellings.
//
// A set whose items have no slash holds one embedding per video (features of other tools): every row is a
// video of its own, and its vector is that embedding (plus that of the mirror images, with the flip test)
// scaled to length 1.
//
// A frame's feature is f, or f + f(mirrored) with the flip test. Of a video with frames f_1 … f_n:
//   mean              Σ f_i / ‖f_i‖         the LFR challenge's rule
//   norm_weighted     Σ f_i                 frames weighted by the length of their embedding
//   quality_weighted  Σ q_i · f_i / ‖f_i‖   given qualities q_i >= 0
// then scaled to length 1. Sums are float64, over rows in ascending order, rounded to float32 once at the
// end, as in search/canonical.h: the result does not depend on the machine or the number of threads.
// Shapes: [N, D] frames -> [V, D] videos. Cost: one pass.
// Errors (kData): items with and without a slash in one set, a video with several embeddings of its own, a
// frame without direction, frames that cancel out (named by video).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "uir/base/file.h"
#include "uir/eval/frame_aggregation.h"
#include "uir/search/canonical.h"

namespace uir {

// A video's name without the ending .mp4.
std::string_view video_stem(std::string_view name);

// The videos of a set. Lives no longer than the text of its items.
class VideoFrames {
 public:
  explicit VideoFrames(std::span<const std::string_view> items);
  int64_t size() const { return static_cast<int64_t>(names_.size()); }
  std::string_view name(int64_t video) const { return names_[static_cast<size_t>(video)]; }
  std::span<const int64_t> rows(int64_t video) const;  // ascending
  // The video of that name, with or without .mp4; −1 if the set has none.
  int64_t find(std::string_view name) const;
  std::string_view item(int64_t row) const { return items_[static_cast<size_t>(row)]; }
  int64_t num_frames() const { return static_cast<int64_t>(items_.size()); }
  // False where every row is a video.
  bool rows_are_frames() const { return rows_are_frames_; }
  // "frame" or "video".
  std::string_view row_noun() const { return rows_are_frames_ ? "frame" : "video"; }

 private:
  std::string_view video_of(std::string_view item) const;

  std::vector<std::string_view> items_, names_;
  bool rows_are_frames_ = true;
  std::vector<int64_t> begins_, rows_;
  std::unordered_map<std::string_view, int64_t> by_stem_;
};

// Features of the frames, and how they are put together.
struct FrameFeatures {
  MatrixView embeddings;
  std::optional<MatrixView> mirrored;  // given: the flip test
  Aggregation aggregation = Aggregation::kMean;
  std::vector<double> quality;  // per row, for kQualityWeighted
};
// With the qualities of the config's list. kData if flip is asked of a set without mirrored embeddings.
FrameFeatures frame_features(const EmbeddingStore& store, const FrameAggregation& config);

// 'item<TAB>quality' for every item, each once; kData for anything else. Items of other sets may stand there
// as well.
std::vector<double> read_frame_qualities(const fs::path& list, std::span<const std::string_view> items);

// The vector of one video: embeddings.cols numbers.
void aggregate_video(const FrameFeatures& features, const VideoFrames& videos, int64_t video, float* out);
CanonicalVectors video_vectors(const FrameFeatures& features, const VideoFrames& videos, int threads = 1);
// Both of a set, which errors name.
VideoFrames videos_of(const EmbeddingStore& set);
CanonicalVectors video_vectors(const EmbeddingStore& set, const VideoFrames& videos,
                               const FrameAggregation& config, int threads = 1);

// Labels per video: from a list 'video label' that names every video of the set and no other, or from the
// frames' labels, which must agree. kData naming line or video otherwise, and for a video without identity
// (-1).
std::vector<int64_t> read_video_labels(const fs::path& list, const VideoFrames& videos);
std::vector<int64_t> labels_of_videos(std::span<const int64_t> frame_labels, const VideoFrames& videos);

// "sum of the frames' unit vectors, scaled to length 1; no flip test": for descriptions.
std::string describe_vectors(const FrameAggregation& config, const VideoFrames& videos);

}  // namespace uir
