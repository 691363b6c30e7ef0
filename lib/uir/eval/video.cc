#include "uir/eval/video.h"

#include <cmath>
#include <string>

#include "uir/base/error.h"
#include "uir/base/parallel.h"
#include "uir/eval/items.h"

namespace uir {
namespace {

constexpr std::string_view kEnding = ".mp4";

bool has_slash(std::string_view item) { return item.find('/') != std::string_view::npos; }

double parse_quality(const ListReader& lines) {
  const std::string text(lines.fields()[1]);
  char* end = nullptr;
  const double quality = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !std::isfinite(quality) || quality < 0) {
    lines.refuse(text, "a quality of at least 0");
  }
  return quality;
}

}  // namespace

std::string_view video_stem(std::string_view name) {
  if (name.ends_with(kEnding)) name.remove_suffix(kEnding.size());
  return name;
}

// The name of the video that a row of the set belongs to.
std::string_view VideoFrames::video_of(std::string_view item) const {
  if (has_slash(item) != rows_are_frames_) {
    fail(ErrorKind::kData, "item '", item, "' names a ", rows_are_frames_ ? "video" : "frame ('video/frame')",
         ", but '", items_.front(), "', the set's first, a ", row_noun(),
         "; a set holds frames or one embedding per video");
  }
  if (!rows_are_frames_) return item;
  const size_t slash = item.rfind('/');
  if (slash == 0 || slash + 1 == item.size())
    fail(ErrorKind::kData, "item '", item, "' is no frame of a video; expected 'video/frame'");
  return item.substr(0, slash);
}

VideoFrames::VideoFrames(std::span<const std::string_view> items)
    : items_(items.begin(), items.end()), rows_are_frames_(items.empty() || has_slash(items.front())) {
  std::vector<int64_t> video_of_row;
  std::vector<int64_t> counts;
  for (const std::string_view item : items) {
    const std::string_view name = video_of(item);
    const auto [at, is_new] = by_stem_.try_emplace(video_stem(name), size());
    if (is_new) {
      names_.push_back(name);
      counts.push_back(0);
    } else if (this->name(at->second) != name) {
      fail(ErrorKind::kData, "the set holds both '", this->name(at->second), "' and '", name,
           "'; names of videos are compared without ", kEnding);
    } else if (!rows_are_frames_) {
      fail(ErrorKind::kData, "video '", name,
           "' is in the set more than once, without frames that could be told apart");
    }
    video_of_row.push_back(at->second);
    ++counts[static_cast<size_t>(at->second)];
  }
  begins_.assign(1, 0);
  for (const int64_t count : counts) begins_.push_back(begins_.back() + count);
  std::vector<int64_t> next(begins_.begin(), begins_.end() - 1);
  rows_.resize(items.size());
  for (size_t row = 0; row < items.size(); ++row) {
    rows_[static_cast<size_t>(next[static_cast<size_t>(video_of_row[row])]++)] = static_cast<int64_t>(row);
  }
}

std::span<const int64_t> VideoFrames::rows(int64_t video) const {
  const auto v = static_cast<size_t>(video);
  return std::span(rows_).subspan(static_cast<size_t>(begins_[v]),
                                  static_cast<size_t>(begins_[v + 1] - begins_[v]));
}

int64_t VideoFrames::find(std::string_view name) const {
  const auto found = by_stem_.find(video_stem(name));
  return found == by_stem_.end() ? -1 : found->second;
}

FrameFeatures frame_features(const EmbeddingStore& store, const FrameAggregation& config) {
  FrameFeatures features{store.embeddings(), std::nullopt, config.aggregation, {}};
  if (config.flip) features.mirrored = store.mirrored();
  if (config.flip && !features.mirrored) {
    fail(ErrorKind::kData, store.folder().string(),
         ": holds no embeddings of mirror images; extract with extract.mirrored: true, or set flip: false");
  }
  if (config.aggregation == Aggregation::kQualityWeighted)
    features.quality = read_frame_qualities(config.quality.value, store.items());
  return features;
}

std::vector<double> read_frame_qualities(const fs::path& list, std::span<const std::string_view> items) {
  std::unordered_map<std::string_view, size_t> rows;
  for (size_t row = 0; row < items.size(); ++row) {
    if (!rows.emplace(items[row], row).second)
      fail(ErrorKind::kData, "frame '", items[row],
           "' is in the set more than once; it cannot be given a quality");
  }
  constexpr double kMissing = -1;
  std::vector<double> quality(items.size(), kMissing);
  ListReader lines(list, ListReader::Separator::kTab);
  while (lines.next()) {
    if (lines.fields().size() != 2) lines.refuse(lines.fields().front(), "an item, a tab and its quality");
    const double value = parse_quality(lines);
    const auto row = rows.find(lines.fields()[0]);
    if (row == rows.end()) continue;  // one list may serve several sets
    if (quality[row->second] != kMissing) lines.refuse(lines.fields()[0], "every item once");
    quality[row->second] = value;
  }
  for (size_t row = 0; row < items.size(); ++row) {
    if (quality[row] == kMissing)
      fail(ErrorKind::kData, list.string(), ": no quality of frame '", items[row],
           "'; every frame needs one");
  }
  return quality;
}

void aggregate_video(const FrameFeatures& features, const VideoFrames& videos, int64_t video, float* out) {
  const auto dim = static_cast<size_t>(features.embeddings.cols);
  std::vector<double> sum(dim, 0.0), frame(dim);
  double total_weight = 0;
  for (const int64_t row : videos.rows(video)) {
    const std::span<const float> f = features.embeddings.row(row);
    double squares = 0;
    for (size_t d = 0; d < dim; ++d) {
      frame[d] = features.mirrored ? double{f[d]} + double{features.mirrored->row(row)[d]} : double{f[d]};
      squares += frame[d] * frame[d];
    }
    const double length = std::sqrt(squares);
    if (!std::isfinite(length) || length == 0) {
      fail(ErrorKind::kData, videos.row_noun(), " '", videos.item(row),
           "': the embedding has zero length or is not finite; it has no direction");
    }
    const double quality = features.aggregation == Aggregation::kQualityWeighted
                               ? features.quality[static_cast<size_t>(row)]
                               : 1;
    const bool keeps_length = features.aggregation == Aggregation::kNormWeighted;
    for (size_t d = 0; d < dim; ++d) sum[d] += keeps_length ? frame[d] : quality * (frame[d] / length);
    total_weight += keeps_length ? length : quality;
  }
  double squares = 0;
  for (const double x : sum) squares += x * x;
  const double length = std::sqrt(squares);
  constexpr double kRounding =
      1e-6;  // a smaller share of the weights is what float32 embeddings leave of zero
  if (!std::isfinite(length) || length <= kRounding * total_weight) {
    fail(ErrorKind::kData, "video '", videos.name(video), "': its ", videos.rows(video).size(),
         " frames sum up to zero (they cancel out, or have no weight); it has no direction");
  }
  for (size_t d = 0; d < dim; ++d) out[d] = static_cast<float>(sum[d] / length);
}

CanonicalVectors video_vectors(const FrameFeatures& features, const VideoFrames& videos, int threads) {
  ensure(features.embeddings.rows == videos.num_frames(), "one embedding per frame");
  CanonicalVectors vectors{{}, videos.size(), features.embeddings.cols};
  vectors.values.resize(static_cast<size_t>(vectors.rows * vectors.cols));
  parallel_blocks(vectors.rows, 64, threads, [&](int64_t begin, int64_t end) {
    for (int64_t v = begin; v < end; ++v)
      aggregate_video(features, videos, v, vectors.values.data() + v * vectors.cols);
  });
  return vectors;
}

VideoFrames videos_of(const EmbeddingStore& set) {
  try {
    return VideoFrames(set.items());
  } catch (const Error& e) {
    throw e.at(set.folder().string());
  }
}

CanonicalVectors video_vectors(const EmbeddingStore& set, const VideoFrames& videos,
                               const FrameAggregation& config, int threads) {
  const FrameFeatures features = frame_features(set, config);
  try {
    return video_vectors(features, videos, threads);
  } catch (const Error& e) {
    throw e.at(set.folder().string());
  }
}

std::vector<int64_t> read_video_labels(const fs::path& list, const VideoFrames& videos) {
  std::vector<int64_t> labels(static_cast<size_t>(videos.size()), -1);
  ListReader lines(list, ListReader::Separator::kSpace);
  while (lines.next()) {
    if (lines.fields().size() != 2) {
      lines.refuse(lines.fields().empty() ? "an empty line" : lines.fields().front(),
                   "a video and its label");
    }
    const int64_t video = videos.find(lines.fields()[0]);
    if (video < 0)
      lines.refuse(lines.fields()[0], concat("one of the ", videos.size(), " videos of the set"));
    int64_t& label = labels[static_cast<size_t>(video)];
    if (label >= 0) lines.refuse(lines.fields()[0], "every video once");
    label = lines.integer(1, 0);
  }
  for (int64_t v = 0; v < videos.size(); ++v) {
    if (labels[static_cast<size_t>(v)] < 0)
      fail(ErrorKind::kData, list.string(), ": no label of video '", videos.name(v),
           "'; every video needs one");
  }
  return labels;
}

std::vector<int64_t> labels_of_videos(std::span<const int64_t> frame_labels, const VideoFrames& videos) {
  ensure(static_cast<int64_t>(frame_labels.size()) == videos.num_frames(), "one label per frame");
  std::vector<int64_t> labels;
  for (int64_t v = 0; v < videos.size(); ++v) {
    const int64_t label = frame_labels[static_cast<size_t>(videos.rows(v).front())];
    if (label < 0) {
      fail(ErrorKind::kData, "video '", videos.name(v),
           "' has no identity in the set; give the videos' labels in a list (labels)");
    }
    for (const int64_t row : videos.rows(v)) {
      const int64_t other = frame_labels[static_cast<size_t>(row)];
      if (other == label) continue;
      fail(ErrorKind::kData, "video '", videos.name(v), "': its frames have different labels, ", label,
           " and ", other, " (", videos.item(row), ")");
    }
    labels.push_back(label);
  }
  return labels;
}

std::string describe_vectors(const FrameAggregation& config, const VideoFrames& videos) {
  if (!videos.rows_are_frames()) {
    return concat("the one embedding that the set has of it, scaled to length 1; ",
                  config.flip ? "flip test (plus that of its mirror images)" : "no flip test");
  }
  const std::string_view weights = config.aggregation == Aggregation::kMean
                                       ? "sum of the frames' unit vectors"
                                   : config.aggregation == Aggregation::kNormWeighted
                                       ? "sum of the frames' embeddings (weighted by their length)"
                                       : "sum of the frames' unit vectors weighted by given qualities";
  return concat(weights, ", scaled to length 1; ",
                config.flip ? "flip test (each frame's embedding plus its mirror image's)" : "no flip test");
}

}  // namespace uir
