// Faces in video files: videos are surveyed as a whole, then each face that is taken becomes a row.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <optional>
#include <unordered_map>
#include <utility>

#include "uir/base/error.h"
#include "uir/base/log.h"
#include "uir/base/parallel.h"
#include "uir/base/progress.h"
#include "uir/data/face_table.h"
#include "uir/data/missing_files.h"
#include "uir/data/source_kinds.h"
#include "uir/data/video_facts.h"
#include "uir/data/video_list.h"
#include "uir/video/frame_choice.h"

namespace uir {
namespace {

std::string frame_item(const std::string& video, const VideoFace& face) {
  char number[24];
  std::snprintf(number, sizeof number, "%06lld", static_cast<long long>(face.frame));
  return face.number == 0 ? concat(video, '/', number) : concat(video, '/', number, '_', face.number);
}

ImageSize size_of(const FrameFacts& frame) { return {frame.width, frame.height}; }

class Videos : public Source {
 public:
  Videos(const VideosSource& config, Role role) : config_(config), root_(config.root.value), role_(role) {
    if (!fs::is_directory(root_)) fail(ErrorKind::kMissingInput, root_.string(), ": cannot open folder");
    if (role == Role::kLabeled && (config.list.empty() || config.format == VideoListFormat::kName)) {
      fail(ErrorKind::kConfig, root_.string(),
           ": videos without labels; a labeled source needs a list of format name_label or label_names");
    }
    if (!config.faces.empty()) faces_.emplace(config.faces.value);
  }

  SourceInfo info() const override { return source_info(SourceKind::kVideos, root_); }

  void reuse(const Index& previous, std::string_view source) override {
    previous_ = previous;
    const std::string prefix = concat(source, '/');
    for (size_t i = 0; i < previous.videos().size(); ++i) {
      const std::string_view name = previous.video_name(static_cast<int64_t>(i));
      if (!name.starts_with(prefix)) continue;
      known_.emplace(name.substr(prefix.size()),
                     KnownVideo{previous.videos()[i], previous.video_frames(static_cast<int64_t>(i))});
    }
  }

  void for_each_video(
      const std::function<void(std::string_view, const SurveyedVideo&)>& body) const override {
    for (size_t i = 0; i < videos_.size(); ++i) body(videos_[i].name, surveyed_[i]);
  }

  // Some videos at a time are read by all threads; their rows follow in the list's order.
  void for_each_row(const RowBody& body) override {
    faceless_.clear();
    constexpr size_t kVideosPerStep = 256;
    videos_ = read_video_list(config_, &left_out_);
    refuse_missing();
    surveyed_.resize(videos_.size());
    reused_.resize(videos_.size());
    Progress progress("reading videos", "videos", static_cast<int64_t>(videos_.size()));
    for (size_t begin = 0; begin < videos_.size(); begin += kVideosPerStep) {
      const size_t end = std::min(videos_.size(), begin + kVideosPerStep);
      survey(begin, end);
      for (size_t i = begin; i < end; ++i) emit_rows(i, body);
      progress.add(static_cast<int64_t>(end - begin));
    }
    if (faceless_.empty()) return;
    log_warning(root_.string(), ": ", faceless_.size(), " of ", videos_.size(),
                " videos have no face in the frames that are taken and are left out: ", faceless_.front(),
                faceless_.size() > 1 ? ", …" : "");
  }

  ImageFacts examine(const SourceRow& row, const ImageFacts* known) const override {
    const auto& [video, frames] = surveyed_[row.where];
    const FrameFacts& frame = frames[static_cast<size_t>(frame_of_offset(row.offset))];
    ImageFacts facts;
    facts.reused = reused_[row.where] != 0;
    if (facts.reused && known) facts.unreadable = known->unreadable;  // what --verify found
    facts.size = static_cast<uint32_t>(size_of(frame).num_bytes());
    facts.mtime = video.mtime;
    facts.hash = frame_hash(video.hash, frame_of_offset(row.offset), face_of_offset(row.offset));
    facts.pixels = {static_cast<uint16_t>(frame.width), static_cast<uint16_t>(frame.height)};
    return facts;
  }
  std::string place(const SourceRow& row) const override { return (root_ / row.item).string(); }

 private:
  void refuse_missing() const {
    MissingFiles missing;
    for (const ListedVideo& video : videos_) {
      std::error_code error;
      if (!fs::exists(root_ / video.name, error))
        missing.add([&] { return place_of_video(config_.list, video, root_) + ": no such file"; });
    }
    missing.refuse("put these videos there, or take them out of the list");
  }

  // Of several bad videos the first of the list is reported, whichever thread is faster.
  void survey(size_t begin, size_t end) {
    std::vector<std::exception_ptr> errors(end - begin);
    parallel_blocks(static_cast<int64_t>(end - begin), 1, 0, [&](int64_t i, int64_t) {
      const auto video = begin + static_cast<size_t>(i);
      try {
        survey(videos_[video].name, surveyed_[video], reused_[video]);
      } catch (const Error& error) {
        errors[static_cast<size_t>(i)] = std::make_exception_ptr(
            config_.list.empty() ? error : error.at(place_of_video(config_.list, videos_[video], root_)));
      }
    });
    for (const std::exception_ptr& error : errors) {
      if (error) std::rethrow_exception(error);
    }
  }

  void survey(const std::string& name, SurveyedVideo& video, uint8_t& reused) const {
    const fs::path path = resolve_inside(root_, name);
    const auto found = known_.find(name);
    const KnownVideo* known = found == known_.end() ? nullptr : &found->second;
    video = survey_video(path, known);
    const VideoFacts& facts = video.facts;
    reused = known && facts.bytes == known->facts.bytes && facts.mtime == known->facts.mtime;
    check_complete(facts.frames, facts.announced - facts.frames, path, config_.missing_frames);
  }

  void emit_rows(size_t video, const RowBody& body) {
    int64_t identity = -1;
    if (role_ != Role::kUnlabeled && videos_[video].label >= 0)
      identities_.add_number(videos_[video].label, identity);
    for (const VideoFace& face : faces_to_take(video)) {
      SourceRow row;
      row.item = frame_item(videos_[video].name, face);
      row.identity = identity;
      row.offset = frame_offset(face.frame, face.number);
      row.where = video;
      row.landmarks = face.landmarks;
      row.box = face.box;
      body(std::move(row));
    }
  }

  std::vector<VideoFace> faces_to_take(size_t video) {
    std::vector<VideoFace> faces = faces_ ? given_faces(video) : whole_frames(surveyed_[video].facts.frames);
    const FrameChoice choice(sampling_of(config_), surveyed_[video].facts.ticks_per_second,
                             surveyed_[video].frames);
    std::vector<int64_t> frames;
    for (const VideoFace& face : faces) {
      if (choice.takes(face.frame) && (frames.empty() || frames.back() != face.frame))
        frames.push_back(face.frame);
    }
    frames = choice.thin(std::move(frames));
    std::erase_if(faces,
                  [&](const VideoFace& face) { return !std::ranges::binary_search(frames, face.frame); });
    if (faces.empty() && config_.allow_faceless) {
      faceless_.push_back(videos_[video].name);
    } else if (faces.empty()) {
      fail(ErrorKind::kData, place_of_video(config_.list, videos_[video], root_),
           ": none of its frames is taken",
           faces_ ? concat("; ", faces_->path().string(),
                           " has no face of it in them (allow_faceless: true leaves such videos out)")
                  : "");
    }
    return faces;
  }

  static std::vector<VideoFace> whole_frames(int64_t frames) {
    std::vector<VideoFace> faces(static_cast<size_t>(frames));
    for (int64_t i = 0; i < frames; ++i) faces[static_cast<size_t>(i)].frame = i;
    return faces;
  }

  std::vector<VideoFace> given_faces(size_t video) {
    std::vector<VideoFace> faces = faces_->faces_of(videos_[video].name);
    const std::vector<FrameFacts>& frames = surveyed_[video].frames;
    for (const VideoFace& face : faces) {
      const FaceBox& box = *face.box;
      if (face.frame >= std::ssize(frames)) {
        fail(ErrorKind::kData, faces_->place(face), ": frame ", face.frame, ", the video has ", frames.size(),
             " (counted from 0)");
      }
      if (face.number >= kMaxFacesPerFrame) {
        fail(ErrorKind::kData, faces_->place(face), ": more than ", kMaxFacesPerFrame, " faces in a frame");
      }
      const ImageSize size = size_of(frames[static_cast<size_t>(face.frame)]);
      const bool inside = box[2] > 0 && box[3] > 0 && box[0] < static_cast<float>(size.width) &&
                          box[1] < static_cast<float>(size.height);
      if (!inside) {
        fail(ErrorKind::kData, faces_->place(face), ": the box lies outside the frame of ", size.width, "x",
             size.height, " pixels");
      }
    }
    return faces;
  }

  const VideosSource config_;
  const fs::path root_;
  const Role role_;
  std::optional<FaceTable> faces_;
  std::vector<ListedVideo> videos_;
  std::vector<std::string> faceless_;  // that were left out
  std::optional<Index> previous_;
  std::unordered_map<std::string, KnownVideo> known_;  // in previous_
  std::vector<SurveyedVideo> surveyed_;
  std::vector<uint8_t> reused_;  // facts that were known
};

}  // namespace

std::unique_ptr<Source> make_source(const VideosSource& config, Role role) {
  return std::make_unique<Videos>(config, role);
}

}  // namespace uir
