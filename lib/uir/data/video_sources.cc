#include "uir/data/video_sources.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "uir/base/error.h"
#include "uir/base/log.h"
#include "uir/base/parallel.h"
#include "uir/base/progress.h"
#include "uir/data/folder_listing.h"
#include "uir/data/frame_choice.h"
#include "uir/data/list_file.h"
#include "uir/data/loader.h"
#include "uir/data/name_lookup.h"
#include "uir/formats/text_lines.h"
#include "uir/images/video_file.h"

namespace uir {
namespace {

using RowBody = std::function<void(SourceRow)>;

// --- Lists of videos ---------------------------------------------------------------------------------------

// One video of a list.
struct ListedVideo {
  std::string name;
  uint64_t line = 0;    // where its line begins; 0 without a list
  int64_t frames = -1;  // −1: the list does not say
  int64_t label = -1;   // −1: none
};

class VideoNames {
 public:
  explicit VideoNames(fs::path root) : root_(std::move(root)) {}

  // The name relative to the root; refuses repeated ones.
  std::string add(const TextLines& lines, std::string_view text) {
    std::string name;
    try {
      name = item_in(root_, text);
    } catch (const Error& error) {
      throw error.at(lines.place());
    }
    if (!seen_.insert(name).second) lines.refuse("video '", name, "' stands in the list twice");
    return name;
  }

 private:
  fs::path root_;
  std::unordered_set<std::string> seen_;
};

void check_not_empty(const std::vector<ListedVideo>& videos, const fs::path& place) {
  if (videos.empty()) fail(ErrorKind::kData, place.string(), ": no videos");
}

std::vector<ListedVideo> read_list(const FramesSource& config) {
  TextLines lines(config.list.value);
  VideoNames names(config.root.value);
  std::vector<ListedVideo> videos;
  std::vector<std::string_view> fields;
  while (lines.next()) {
    split(lines.line(), ' ', true, fields);
    if (fields.size() > 2) lines.refuse(fields.size(), " fields, expected a video and its number of frames");
    ListedVideo video{names.add(lines, fields[0]), lines.begin()};
    if (fields.size() == 2) video.frames = parse_label(lines, fields[1], 1);
    videos.push_back(std::move(video));
  }
  check_not_empty(videos, lines.path());
  return videos;
}

void read_line(const TextLines& lines, const VideosSource& config, VideoNames& names,
               std::vector<std::string_view>& fields, std::vector<ListedVideo>& videos) {
  const auto add = [&](std::string_view name, int64_t label) {
    videos.push_back({names.add(lines, name), lines.begin(), -1, label});
  };
  split(lines.line(), ' ', true, fields);
  switch (config.format) {
    case VideoListFormat::kName:
      if (fields.size() != 1) lines.refuse(fields.size(), " fields, expected the name of a video");
      return add(fields[0], -1);
    case VideoListFormat::kNameLabel:
      if (fields.size() != 2) lines.refuse(fields.size(), " fields, expected a video, a space and a label");
      return add(fields[0], parse_label(lines, fields[1], 0));
    case VideoListFormat::kLabelNames:
      if (fields.size() < 2) lines.refuse(fields.size(), " fields, expected a label and its videos");
      for (size_t i = 1; i < fields.size(); ++i) add(fields[i], parse_label(lines, fields[0], 0));
      return;
  }
}

std::vector<ListedVideo> read_list(const VideosSource& config) {
  std::vector<ListedVideo> videos;
  if (config.list.empty()) {
    for_each_file(config.root.value, is_video_name,
                  [&](std::string name) { videos.push_back({std::move(name)}); });
    check_not_empty(videos, config.root.value);
    return videos;
  }
  TextLines lines(config.list.value);
  VideoNames names(config.root.value);
  std::vector<std::string_view> fields;
  while (lines.next()) read_line(lines, config, names, fields, videos);
  check_not_empty(videos, lines.path());
  return videos;
}

std::vector<std::string> names_of(std::vector<ListedVideo> videos) {
  std::vector<std::string> names;
  for (ListedVideo& video : videos) names.push_back(std::move(video.name));
  return names;
}

// "list.txt:7" or, without a list, the file itself.
std::string place_of(const DataPath& list, const ListedVideo& video, const fs::path& root) {
  if (list.empty()) return (root / video.name).string();
  return concat(TextLines(list.value).place_at(video.line), ": video '", video.name, "'");
}

// --- Folders of frames -------------------------------------------------------------------------------------

class Frames : public Source {
 public:
  Frames(const FramesSource& config, Role role) : config_(config), files_(config.root.value) {
    if (role == Role::kLabeled) {
      fail(ErrorKind::kConfig, config.list.value,
           ": a list of videos has no labels; the role must be unlabeled or test");
    }
  }

  SourceInfo info() const override {
    SourceInfo info;
    info.kind = SourceKind::kFiles;
    info.path = files_.root();
    return info;
  }

  void for_each_row(const RowBody& body) override {
    for (const ListedVideo& video : read_list(config_)) {
      for (std::string& frame : frames_of(video)) {
        SourceRow row;
        row.item = concat(video.name, '/', frame);
        body(std::move(row));
      }
    }
  }

  ImageFacts examine(const SourceRow& row, const ImageFacts* known) const override {
    return examine_file(files_, row.item, known);
  }
  std::string place(const SourceRow& row) const override { return (files_.root() / row.item).string(); }

 private:
  std::vector<std::string> frames_of(const ListedVideo& video) const {
    FolderContent content;
    try {
      content = list_folder(files_.root() / video.name, is_image_name);
    } catch (const Error& error) {
      throw error.at(place_of(config_.list, video, files_.root()));
    }
    const auto found = static_cast<int64_t>(content.files.size());
    if (!content.folders.empty()) refuse(video, "its folder holds another folder, ", content.folders.front());
    if (found == 0) refuse(video, "no frames (images) in its folder");
    if (video.frames >= 0 && video.frames != found) {
      refuse(video, found, " frames in its folder, the list says ", video.frames);
    }
    std::ranges::sort(content.files, natural_less);
    return std::move(content.files);
  }

  template <class... Parts>
  [[noreturn]] void refuse(const ListedVideo& video, const Parts&... parts) const {
    fail(ErrorKind::kData, place_of(config_.list, video, files_.root()), ": ", parts...);
  }

  const FramesSource config_;
  ImageFolder files_;
};

// --- Faces in video files ----------------------------------------------------------------------------------

// One face that is to become a row.
struct Face {
  int64_t frame = 0, number = 0;  // number: of the face in its frame
  std::optional<FaceBox> box;
  std::optional<Landmarks> landmarks;
  uint64_t line = 0;
};

// The CSV of boxes and points: header video,frame,x1,y1,x2,y2, optionally ten more columns.
class FaceTable {
 public:
  explicit FaceTable(const fs::path& csv) : lines_(csv) {
    constexpr std::string_view kHeader = "video,frame,x1,y1,x2,y2";
    if (!lines_.next() || !lines_.line().starts_with(kHeader)) {
      lines_.refuse("expected the header '", kHeader, "', with ten more columns where points are given");
    }
    split(lines_.line(), ',', false, fields_);
    columns_ = fields_.size();
    if (columns_ != 6 && columns_ != 16) lines_.refuse(columns_, " columns, expected 6 or 16");
    while (lines_.next()) rows_.add(lines_.line().substr(0, lines_.line().find(',')), lines_.begin());
    rows_.finish();
  }

  // Sorted by frame; faces of one frame in the order of the file.
  std::vector<Face> faces_of(std::string_view video) {
    std::vector<Face> faces;
    for (const NameLookup::Entry& row : rows_.find(video)) {
      split(lines_.line_at(row.number), ',', false, fields_);
      if (fields_[0] == video) faces.push_back(parse());
    }
    std::ranges::stable_sort(faces, {}, &Face::frame);
    for (size_t i = 1; i < faces.size(); ++i) {
      if (faces[i].frame == faces[i - 1].frame) faces[i].number = faces[i - 1].number + 1;
    }
    return faces;
  }

  std::string place(const Face& face) const { return lines_.place_at(face.line); }
  const fs::path& path() const { return lines_.path(); }

 private:
  Face parse() {
    if (fields_.size() != columns_) lines_.refuse(fields_.size(), " fields, the header has ", columns_);
    Face face;
    face.line = lines_.begin();
    face.frame = parse_label(lines_, fields_[1], 0);
    face.box = numbers<FaceBox>(2);
    const FaceBox& box = *face.box;
    if (!(box[0] < box[2] && box[1] < box[3]))
      lines_.refuse("the box is empty; expected x1 < x2 and y1 < y2");
    if (columns_ == 16 &&
        !std::all_of(fields_.begin() + 6, fields_.end(), [](auto f) { return f.empty(); })) {
      face.landmarks = numbers<Landmarks>(6);
    }
    return face;
  }

  template <class Array>
  Array numbers(size_t first) const {
    Array values;
    for (size_t i = 0; i < values.size(); ++i) {
      const auto value = parse_number<float>(fields_[first + i]);
      if (!value || !std::isfinite(*value)) lines_.refuse("'", fields_[first + i], "' is not a coordinate");
      values[i] = *value;
    }
    return values;
  }

  TextLines lines_;
  NameLookup rows_;
  std::vector<std::string_view> fields_;
  size_t columns_ = 0;
};

std::string frame_item(const std::string& video, const Face& face) {
  char number[24];
  std::snprintf(number, sizeof number, "%06lld", static_cast<long long>(face.frame));
  return face.number == 0 ? concat(video, '/', number) : concat(video, '/', number, '_', face.number);
}

ImageSize size_of(const VideoFacts& video) { return {video.pixels[0], video.pixels[1]}; }

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

  SourceInfo info() const override {
    SourceInfo info;
    info.kind = SourceKind::kVideos;
    info.path = root_;
    return info;
  }

  void reuse(const Index& previous, std::string_view source) override {
    const std::string prefix = concat(source, '/');
    for (size_t i = 0; i < previous.videos().size(); ++i) {
      const std::string_view name = previous.video_name(static_cast<int64_t>(i));
      if (name.starts_with(prefix)) known_.emplace(name.substr(prefix.size()), previous.videos()[i]);
    }
  }

  void for_each_video(const std::function<void(std::string_view, const VideoFacts&)>& body) const override {
    for (size_t i = 0; i < videos_.size(); ++i) body(videos_[i].name, facts_[i]);
  }

  // Some videos at a time are read by all threads; their rows follow in the list's order.
  void for_each_row(const RowBody& body) override {
    faceless_.clear();
    constexpr size_t kVideosPerStep = 256;
    videos_ = read_list(config_);
    facts_.resize(videos_.size());
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
    const VideoFacts& video = facts_[row.where];
    ImageFacts facts;
    facts.reused = reused_[row.where] != 0;
    if (facts.reused && known) facts.unreadable = known->unreadable;  // what --verify found
    facts.size = static_cast<uint32_t>(size_of(video).num_bytes());
    facts.mtime = video.mtime;
    facts.hash = frame_hash(video.hash, frame_of_offset(row.offset), face_of_offset(row.offset));
    facts.pixels = {static_cast<uint16_t>(video.pixels[0]), static_cast<uint16_t>(video.pixels[1])};
    return facts;
  }
  std::string place(const SourceRow& row) const override { return (root_ / row.item).string(); }

 private:
  // Of several bad videos the first of the list is reported, whichever thread is faster.
  void survey(size_t begin, size_t end) {
    std::vector<std::exception_ptr> errors(end - begin);
    parallel_blocks(static_cast<int64_t>(end - begin), 1, 0, [&](int64_t i, int64_t) {
      const auto video = begin + static_cast<size_t>(i);
      try {
        survey(videos_[video].name, facts_[video], reused_[video]);
      } catch (const Error& error) {
        errors[static_cast<size_t>(i)] = std::make_exception_ptr(
            config_.list.empty() ? error : error.at(place_of(config_.list, videos_[video], root_)));
      }
    });
    for (const std::exception_ptr& error : errors) {
      if (error) std::rethrow_exception(error);
    }
  }

  void survey(const std::string& name, VideoFacts& facts, uint8_t& reused) const {
    const fs::path path = resolve_inside(root_, name);
    const auto found = known_.find(name);
    const VideoFacts* known = found == known_.end() ? nullptr : &found->second;
    facts = survey_video(path, known);
    reused = known && facts.bytes == known->bytes && facts.mtime == known->mtime;
    check_complete(facts, path, config_.missing_frames);
  }

  void emit_rows(size_t video, const RowBody& body) {
    int64_t identity = -1;
    if (role_ != Role::kUnlabeled && videos_[video].label >= 0)
      identities_.add_number(videos_[video].label, identity);
    for (const Face& face : faces_to_take(video)) {
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

  std::vector<Face> faces_to_take(size_t video) {
    std::vector<Face> faces = faces_ ? given_faces(video) : whole_frames(facts_[video].frames);
    const FrameChoice choice(config_, facts_[video].frames_per_second);
    std::vector<int64_t> frames;
    for (const Face& face : faces) {
      if (choice.takes(face.frame) && (frames.empty() || frames.back() != face.frame))
        frames.push_back(face.frame);
    }
    frames = choice.thin(std::move(frames));
    std::erase_if(faces, [&](const Face& face) { return !std::ranges::binary_search(frames, face.frame); });
    if (faces.empty() && config_.allow_faceless) {
      faceless_.push_back(videos_[video].name);
    } else if (faces.empty()) {
      fail(ErrorKind::kData, place_of(config_.list, videos_[video], root_), ": none of its frames is taken",
           faces_ ? concat("; ", faces_->path().string(),
                           " has no face of it in them (allow_faceless: true leaves such videos out)")
                  : "");
    }
    return faces;
  }

  static std::vector<Face> whole_frames(int64_t frames) {
    std::vector<Face> faces(static_cast<size_t>(frames));
    for (int64_t i = 0; i < frames; ++i) faces[static_cast<size_t>(i)].frame = i;
    return faces;
  }

  std::vector<Face> given_faces(size_t video) {
    std::vector<Face> faces = faces_->faces_of(videos_[video].name);
    const VideoFacts& facts = facts_[video];
    for (const Face& face : faces) {
      const FaceBox& box = *face.box;
      if (face.frame >= facts.frames) {
        fail(ErrorKind::kData, faces_->place(face), ": frame ", face.frame, ", the video has ", facts.frames,
             " (counted from 0)");
      }
      if (face.number >= kMaxFacesPerFrame) {
        fail(ErrorKind::kData, faces_->place(face), ": more than ", kMaxFacesPerFrame, " faces in a frame");
      }
      const ImageSize size = size_of(facts);
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
  std::vector<std::string> faceless_;                  // that were left out
  std::unordered_map<std::string, VideoFacts> known_;  // by an earlier index
  std::vector<VideoFacts> facts_;
  std::vector<uint8_t> reused_;  // facts that were known
};

}  // namespace

std::unique_ptr<Source> make_frames_source(const FramesSource& config, Role role) {
  return std::make_unique<Frames>(config, role);
}
std::unique_ptr<Source> make_videos_source(const VideosSource& config, Role role) {
  return std::make_unique<Videos>(config, role);
}

std::vector<std::string> list_videos(const FramesSource& config) { return names_of(read_list(config)); }
std::vector<std::string> list_videos(const VideosSource& config) { return names_of(read_list(config)); }

bool natural_less(std::string_view a, std::string_view b) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const std::string_view whole_a = a, whole_b = b;
  // The run of digits in front, taken off, without leading zeros: longer means larger.
  const auto take_number = [&](std::string_view& text) {
    const auto end = static_cast<size_t>(std::ranges::find_if_not(text, is_digit) - text.begin());
    std::string_view digits = text.substr(0, end);
    digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
    text.remove_prefix(end);
    return digits;
  };
  while (!a.empty() && !b.empty()) {
    if (is_digit(a[0]) && is_digit(b[0])) {
      const std::string_view x = take_number(a), y = take_number(b);
      if (x.size() != y.size()) return x.size() < y.size();
      if (x != y) return x < y;
    } else if (a[0] != b[0]) {
      return static_cast<unsigned char>(a[0]) < static_cast<unsigned char>(b[0]);
    } else {
      a.remove_prefix(1);
      b.remove_prefix(1);
    }
  }
  if (a.empty() != b.empty()) return a.empty();
  return whole_a < whole_b;
}

}  // namespace uir
