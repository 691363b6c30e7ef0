#include "uir/submission/submission.h"

#include <algorithm>
#include <utility>

#include "uir/base/error.h"
#include "uir/base/log.h"
#include "uir/data/sources.h"
#include "uir/data/video_list.h"
#include "uir/eval/video.h"
#include "uir/search/canonical.h"
#include "uir/store/challenge_writer.h"

namespace uir {
namespace {

bool is_video_source(const SourceConfig& source) {
  return std::holds_alternative<FramesSource>(source.kind) ||
         std::holds_alternative<VideosSource>(source.kind);
}

// Compares names that come one at a time with those of the embeddings.
class OrderCheck {
 public:
  OrderCheck(std::string set, std::string_view what, std::vector<std::string_view> stored)
      : set_(std::move(set)), what_(what), stored_(std::move(stored)) {}

  void next(std::string_view listed) {
    if (row_ >= stored_.size())
      refuse(concat("has only ", stored_.size(), " ", what_, "s; the next would be '", listed, "'"));
    if (stored_[row_] != listed)
      refuse(concat("has '", stored_[row_], "' as ", what_, " ", row_, " (counted from 0), the list '",
                    listed, "'"));
    ++row_;
  }
  void finish() const {
    if (row_ < stored_.size()) refuse(concat("has ", stored_.size(), " ", what_, "s, the list ", row_));
  }

 private:
  [[noreturn]] void refuse(const std::string& how) const {
    fail(ErrorKind::kData, "set ", set_, ": its embeddings do not follow its list: it ", how,
         "; a challenge needs a row for every line (bad images have none): repair the images or the list, "
         "then run "
         "uir-index and uir-extract again");
  }

  std::string set_, what_;
  std::vector<std::string_view> stored_;
  size_t row_ = 0;
};

void check_order(const SourceConfig& source, const EmbeddingStore& store) {
  if (const auto* videos = std::get_if<VideosSource>(&source.kind)) {
    // Their frames are those of the index; reading them again would decode every video.
    const std::vector<std::string_view> items = store.items();
    const VideoFrames stored(items);
    std::vector<std::string_view> names;
    for (int64_t v = 0; v < stored.size(); ++v) names.push_back(stored.name(v));
    OrderCheck check(source.name, "video", std::move(names));
    for (const std::string& name : list_videos(*videos)) check.next(name);
    return check.finish();
  }
  OrderCheck check(source.name, "row", store.items());
  open_source(source)->for_each_row([&](const SourceRow& row) { check.next(row.item); });
  check.finish();
}

// The features of single images: f or f + f(mirrored), scaled to length 1 or not.
class ImageFeatures {
 public:
  ImageFeatures(const EmbeddingStore& store, const SubmissionConfig& config)
      : store_(store),
        features_(frame_features(store, {Aggregation::kMean, {}, config.frames.flip})),
        normalize_(config.normalize) {}

  std::vector<float> row(int64_t i) const {
    const MatrixView one = row_view(features_.embeddings, i);
    std::optional<MatrixView> mirrored;
    if (features_.mirrored) mirrored = row_view(*features_.mirrored, i);
    if (normalize_) return canonical_vectors(one, mirrored, 1, [&](int64_t) { return name(i); }).values;
    std::vector<float> values(one.data, one.data + one.cols);
    for (size_t d = 0; mirrored && d < values.size(); ++d)
      values[d] = static_cast<float>(double{values[d]} + double{mirrored->data[d]});
    return values;
  }

 private:
  static MatrixView row_view(MatrixView matrix, int64_t i) { return {matrix.row(i).data(), 1, matrix.cols}; }
  std::string name(int64_t i) const { return concat(store_.folder().string(), ": ", store_.item(i)); }

  const EmbeddingStore& store_;
  FrameFeatures features_;
  bool normalize_;
};

int64_t write_images(const EmbeddingStore& store, const SubmissionConfig& config, const fs::path& out) {
  const ImageFeatures features(store, config);
  ChallengeWriter writer(out, store.size(), store.embeddings().cols);
  for (int64_t i = 0; i < store.size(); ++i) writer.append(features.row(i));
  writer.commit();
  return store.size();
}

int64_t write_videos(const EmbeddingStore& store, const SubmissionConfig& config, const fs::path& out) {
  const std::vector<std::string_view> items = store.items();
  const VideoFrames videos(items);
  const FrameFeatures features = frame_features(store, config.frames);
  ChallengeWriter writer(out, videos.size(), features.embeddings.cols);
  std::vector<float> row(static_cast<size_t>(features.embeddings.cols));
  for (int64_t v = 0; v < videos.size(); ++v) {
    aggregate_video(features, videos, v, row.data());
    writer.append(row);
  }
  writer.commit();
  return videos.size();
}

int64_t write_tree(const EmbeddingStore& store, const SubmissionConfig& config, const fs::path& out) {
  const ImageFeatures features(store, config);
  ChallengeTreeWriter writer(out, config.suffix);
  for (int64_t i = 0; i < store.size(); ++i) writer.add(store.item(i), features.row(i));
  writer.commit();
  return store.size();
}

}  // namespace

Submission::Submission(const DataConfig& data, const SubmissionConfig& config, SubmissionRequest request)
    : data_(data), config_(config), request_(std::move(request)) {}

const SourceConfig& Submission::source(const std::string& set) const {
  const auto found = std::ranges::find(data_.sources, set, &SourceConfig::name);
  if (found == data_.sources.end()) {
    fail(ErrorKind::kConfig, "--format: set '", set,
         "' is no source of the data section; its rows have no list");
  }
  return *found;
}

fs::path Submission::output(const std::string& set, const fs::path& folder) const {
  if (!request_.out.empty()) return request_.out;
  const bool tree = *request_.format == SubmissionFormat::kMegaFace;
  return folder / (tree ? set : set + ".bin");
}

void Submission::check(const std::vector<std::string>& sets, bool mirrored) const {
  if (!wanted()) {
    if (!request_.out.empty()) fail(ErrorKind::kUsage, "--out needs --format");
    return;
  }
  if (!request_.out.empty() && sets.size() != 1) {
    fail(ErrorKind::kUsage, "--out names one place, but ", sets.size(),
         " sets are extracted; choose one with extract.sets");
  }
  for (const std::string& set : sets) check_source(source(set), mirrored);
  const bool tree = *request_.format == SubmissionFormat::kMegaFace;
  if (tree && !request_.out.empty() && fs::exists(request_.out) && !fs::is_empty(request_.out)) {
    fail(ErrorKind::kCannotCreate, request_.out,
         ": exists and is not empty; name another folder or remove it");
  }
}

void Submission::check_source(const SourceConfig& source, bool mirrored) const {
  if (is_video_source(source) && *request_.format != SubmissionFormat::kLfr) {
    fail(ErrorKind::kConfig, "--format ", enum_name(*request_.format), ": set '", source.name,
         "' holds videos; only lfr has features of videos. Choose the sets with extract.sets");
  }
  if (!is_video_source(source) && config_.frames.aggregation != Aggregation::kMean) {
    fail(ErrorKind::kConfig, "submission.aggregation is for sets of videos; '", source.name,
         "' holds images");
  }
  if (config_.frames.flip && !mirrored)
    fail(ErrorKind::kConfig, "submission.flip: true needs extract.mirrored: true");
}

void Submission::write(const std::string& set, const EmbeddingStore& store, const fs::path& folder) const {
  if (!wanted()) return;
  const SourceConfig& source = this->source(set);
  check_order(source, store);
  const fs::path out = output(set, folder);
  int64_t rows = 0;
  if (*request_.format == SubmissionFormat::kMegaFace) {
    rows = write_tree(store, config_, out);
  } else if (is_video_source(source)) {
    rows = write_videos(store, config_, out);
  } else {
    rows = write_images(store, config_, out);
  }
  log_info("set ", set, ": ", enum_name(*request_.format), " features, ", rows, " rows of ",
           store.embeddings().cols, ", in ", out.string());
}

}  // namespace uir
